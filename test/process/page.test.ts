// The page that `unetc web` writes, in a real browser on SwiftShader: the digit model at a fixed seed and with two steps, for
// a processor takes a while for each. `npm run test:page` draws all ten digits. Needs the build; left out where there is no browser.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browser } from '../browser.ts';
import { type Chromium, startChromium } from '../fixtures/chromium.ts';
import { largestDifference, STATUS, savedSamples, savedValues } from '../fixtures/page.ts';
import { type StaticServer, serveFolder } from '../fixtures/static-server.ts';
import { goldenGraph } from '../golden-cases.ts';
import { unetc } from '../unetc.ts';

const MODEL = ['graphs/mnist.json', '--weights', 'graphs/mnist.safetensors'];
/** From the middle of the process, where rounding is not amplified as by a guess at pure noise. */
const ASKED = 'seeds=3&labels=7&sampler=ddim&eta=0&steps=ddim2';
/** Steps of a small model, enough for it to be met on the way. */
const STEPS = 400;
const DONE = `/^1 picture in/.test(${STATUS})`;
/** A machine that is busy with other tests takes long for what is seconds. */
const LONG = 250_000;
const PATIENT = { timeout: 600_000 };
const NOTICES = 'document.getElementById("notices").innerText';

test(
  'the folder of a page: its own files, the bundle, shards of weights, and what the page is told',
  PATIENT,
  async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'unetc-page-'));
    const page = path.join(folder, 'page');
    try {
      const words = ['web', ...MODEL, '--dtype', 'f16', '--shard-size', '1MB', '--json', '-o', page];
      const result = JSON.parse((await unetc(...words)).stdout);
      expect(result).toMatchObject({ name: 'mnist', batch: 4, output: page });
      const model = JSON.parse(fs.readFileSync(path.join(page, 'model.json'), 'utf8'));
      expect(model).toMatchObject({
        ...{ format: 'unetc-page', version: 1, digest: result.digest, names: null, classifier: null },
        model: {
          bundle: 'model',
          weights: 'model/weights.safetensors.index.json',
          bytes: result.weight_bytes,
        },
      });
      const sizes = model.model.files.map((name: string) => fs.statSync(path.join(page, name)).size);
      expect(sizes.length).toBeGreaterThan(3);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000_000);
      expect(result.weight_bytes).toBeLessThan(2 * 1_192_802 * 1.02);
      expect(fs.readdirSync(page).sort()).toEqual([
        'index.html',
        'model',
        'model.json',
        'page.css',
        'page.js',
        'worker.js',
      ]);
      // the scripts are whole, and hold no package of others
      for (const script of ['page.js', 'worker.js']) {
        const text = fs.readFileSync(path.join(page, script), 'utf8');
        expect(text).not.toMatch(/^import\b|node:|node_modules/m);
        expect(text.length).toBeLessThan(260_000);
      }
      // an older page is replaced, and the same words give the same bytes
      const digest = () => JSON.parse(fs.readFileSync(path.join(page, 'model.json'), 'utf8')).digest;
      const before = digest();
      expect(await unetc(...words)).toMatchObject({ exit: 0 });
      expect(digest()).toBe(before);
      expect(fs.readdirSync(folder)).toEqual(['page']);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  },
);

describe.skipIf(browser === null)('a page in a browser', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'unetc-page-'));
  const pageFolder = path.join(folder, 'page');
  let chromium: Chromium;
  let server: StaticServer;

  beforeAll(async () => {
    const written = await unetc('web', ...MODEL, '--batch', '1', '-o', pageFolder);
    expect(written).toMatchObject({ exit: 0, stderr: '' });
    server = await serveFolder(pageFolder);
    chromium = await startChromium();
  });
  afterAll(async () => {
    await chromium?.close();
    await server?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test(
    'draws what Node draws; goes on with a broken download; a second visit by its link loads nothing',
    PATIENT,
    async () => {
      const out = path.join(folder, 'node');
      const words = [
        '--seeds',
        '3',
        '--class',
        '7',
        '--steps',
        'ddim2',
        '--format',
        'safetensors',
        '-o',
        out,
      ];
      execFileSync(process.execPath, ['dist/cli/main.js', 'sample', ...MODEL, ...words], { stdio: 'pipe' });

      server.breakOff('/weights.safetensors', 1_000_000);
      const first = await chromium.open(`${server.url}#${ASKED}`);
      await first.until(DONE, LONG);
      const drawn = await savedValues(first);
      expect(largestDifference(drawn, savedSamples(out))).toBeLessThan(1e-3);
      expect(server.asked.filter((name) => name.includes('/weights'))).toEqual([
        '/model/weights.safetensors',
        expect.stringMatching(/^\/model\/weights\.safetensors@\d+$/),
      ]);
      expect(await first.evaluate(NOTICES)).toContain('Model/weights.safetensors');
      expect(
        first.requests.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(server.url)),
      ).toEqual([]);
      const link = await first.evaluate<string>('location.href');
      expect(link).toContain(`#${ASKED}&model=`);
      await first.close();

      server.asked.length = 0;
      const second = await chromium.open(link);
      await second.until(DONE, LONG);
      expect(server.asked.filter((name) => name.startsWith('/model/'))).toEqual([]);
      expect(largestDifference(await savedValues(second), drawn)).toBe(0);
      expect([...first.console, ...second.console]).toEqual([]);
      await second.close();
    },
  );

  test(
    'stops, goes on, tells of other tabs and of the background, and outlives its device',
    PATIENT,
    async () => {
      // a small model of many steps; its worker keeps the device where the test finds it
      const small = path.join(folder, 'small');
      fs.writeFileSync(path.join(folder, 'small.json'), goldenGraph('tiny-additive-class'));
      const words = [path.join(folder, 'small.json'), '--weights', 'hash:1', '--batch', '2', '-o', small];
      expect(await unetc('web', ...words)).toMatchObject({ exit: 0 });
      const worker = path.join(small, 'worker.js');
      const keeps = `{
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (asked) {
        return (self.device = await requestDevice.call(this, asked));
      };
    }`;
      fs.writeFileSync(worker, `${keeps}\n${fs.readFileSync(worker, 'utf8')}`);
      const other = await serveFolder(small);
      const page = await chromium.open(
        other.url,
        'navigator.locks.request("unetc drawing", () => new Promise(() => {}))',
      );
      await page.until(`document.querySelectorAll('#sheet li.noise').length > 1`);
      await page.evaluate(`location.hash = 'seeds=0-1&labels=0&sampler=ddpm&steps=${STEPS}'`);
      await page.until(`/^Step \\d+ of/.test(${STATUS})`, LONG);
      expect(await page.evaluate(NOTICES)).toContain('Another tab draws, too');
      await page.evaluate(
        `document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))`,
      );
      await page.until(`/^Stopped/.test(${STATUS})`, LONG);
      await page.evaluate(`document.getElementById('resume').click()`);
      await page.evaluate(`{
      const seen = (state) => {
        Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      };
      seen('hidden');
      seen('visible');
    }`);
      await page.until(`/^Step/.test(${STATUS})`, LONG);
      const step = `Number(/^Step (\\d+)/.exec(${STATUS})?.[1])`;
      const before = await page.evaluate<number>(step);
      await page.inWorker('self.device.destroy()');
      await page.until(`${NOTICES}.includes('drawing goes on where it was')`, LONG);
      await page.until(`${step} > ${before}`, LONG);
      const told = await page.evaluate<string>(NOTICES);
      expect(told).toMatch(/The GPU device was lost.*it is opened again/);
      expect(told).toContain('went on in the background');
      expect(page.console).toEqual([]);
      await page.close();
      await other.close();
    },
  );

  test('says what is missing where nothing can be drawn, and what to do', async () => {
    const without = await chromium.open(server.url, 'delete Navigator.prototype.gpu');
    const failure = 'document.getElementById("failure").innerText';
    await without.until('document.querySelectorAll("#sheet li").length === 10');
    expect(await without.evaluate(failure)).toMatch(
      /This browser has no WebGPU\s+This page computes.*update yours/,
    );
    expect(await without.evaluate('document.getElementById("draw").disabled')).toBe(true);
    await without.close();

    const none = await chromium.open(
      server.url,
      'GPU.prototype.requestAdapter = () => Promise.resolve(null)',
    );
    await none.until(`${failure}.includes('No GPU that pages may use')`);
    await none.close();

    const file = await chromium.open(`file://${path.join(pageFolder, 'index.html')}`);
    expect(await file.evaluate(failure)).toContain('python3 -m http.server');
    await file.close();
  });
});
