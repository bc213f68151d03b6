// The page that `unetc web` writes, in a real browser on SwiftShader: a model of few kernels, for a processor takes a while to
// compile each. `npm run test:page` draws the ten digits, enlarged and guided pictures. Needs the build; left out where there is no browser.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sha256Of } from '../../engine/digest.ts';
import { browser } from '../browser.ts';
import { type Chromium, startChromium } from '../fixtures/chromium.ts';
import { largestDifference, STATUS, savedSamples, savedValues } from '../fixtures/page.ts';
import { type StaticServer, serveFolder } from '../fixtures/static-server.ts';
import { unetc } from '../unetc.ts';

const MODEL = ['graphs/mnist.json', '--weights', 'graphs/mnist.safetensors'];
const ASKED = 'seeds=3&sampler=ddim&eta=0&steps=ddim2';
/** Enough of a small model for it to be met on the way. */
const STEPS = 400;
const DONE = `/^1 picture in/.test(${STATUS})`;
/** A machine that is busy with other tests takes long for what is seconds. */
const LONG = 250_000;
const PATIENT = { timeout: 600_000 };
const NOTICES = 'document.getElementById("notices").innerText';

/** A graph of seven kernels: SwiftShader takes more than a second for each. Its weights are 2.5 MB. */
const FEW_KERNELS = JSON.stringify({
  ...{ version: 1, name: 'few', dims: 2, image_size: [8, 8], in_channels: 1, out_channels: 1 },
  time_embed: { channels: 32, hidden: 128 },
  blocks: {
    input: [{ layers: [{ type: 'conv', in_channels: 1, out_channels: 128, kernel: 3 }] }],
    middle: {
      layers: [
        {
          ...{ type: 'res_block', in_channels: 128, out_channels: 128, conditioning: 'additive' },
          ...{ dropout: 0, skip: 'identity' },
        },
      ],
    },
    output: [{ layers: [{ type: 'conv', in_channels: 256, out_channels: 128, kernel: 3 }] }],
  },
});

/** What stands before the worker's own script: it keeps its device where a test finds it. */
const KEEPS_DEVICE = `{
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (asked) {
    return (self.device = await requestDevice.call(this, asked));
  };
}`;

/** The same for visits of which only what they load is of interest: kernels are never compiled. */
const WITHOUT_KERNELS = 'GPUDevice.prototype.createComputePipelineAsync = () => new Promise(() => {});';
const LOADED = `/2.5 of 2.5 MB$/.test(${STATUS})`;

/** A tab that is left and come back to. */
const BACKGROUND = `{
  const seen = (state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  };
  seen('hidden');
  seen('visible');
}`;

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
      const { 'model/manifest.json': manifest, ...weights } = model.model.digests;
      const sizes = Object.keys(weights).map((name) => fs.statSync(path.join(page, name)).size);
      for (const [name, digest] of Object.entries({ ...weights, 'model/manifest.json': manifest })) {
        expect(sha256Of(fs.readFileSync(path.join(page, name))), name).toBe(digest);
      }
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
  let worker = '';
  /** Pages that are opened from now on have a worker that begins with a script. */
  const beginWorkersWith = (script: string) =>
    fs.writeFileSync(path.join(pageFolder, 'worker.js'), `${script}\n${worker}`);

  beforeAll(async () => {
    const graph = path.join(folder, 'few.json');
    fs.writeFileSync(graph, FEW_KERNELS);
    const model = [graph, '--weights', 'hash:1'];
    const written = await unetc('web', ...model, '--batch', '1', '-o', pageFolder);
    expect(written).toMatchObject({ exit: 0, stderr: '' });
    const sampling = ['--seeds', '3', '--steps', 'ddim2', '--format', 'safetensors', '--quiet'];
    const sampled = await unetc('sample', ...model, ...sampling, '-o', path.join(folder, 'node'));
    expect(sampled.exit, sampled.stderr).toBe(0);
    worker = fs.readFileSync(path.join(pageFolder, 'worker.js'), 'utf8');
    server = await serveFolder(pageFolder);
    chromium = await startChromium();
  });
  afterAll(async () => {
    await chromium?.close();
    await server?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test(
    'draws what Node draws, in two tabs, by a download that broke off, and outlives its device; a second visit loads nothing',
    PATIENT,
    async () => {
      const weights = (names: readonly string[]) => names.filter((name) => name.includes('/weights'));
      beginWorkersWith(KEEPS_DEVICE);
      const release = server.hold('/weights.safetensors');
      server.breakOff('/weights.safetensors', 1_000_000);
      const first = await chromium.open(`${server.url}#${ASKED}`);
      await vi.waitFor(() => expect(weights(server.asked)).not.toEqual([]), { timeout: LONG });
      beginWorkersWith(WITHOUT_KERNELS);
      const second = await chromium.open(`${server.url}#${ASKED}`);
      await second.until(`${NOTICES}.includes('another page loads it, and this one waits')`, LONG);
      release();
      await second.until(LOADED, LONG);
      expect(weights(server.asked).at(-1)).toMatch(/safetensors@\d+$/);
      expect(weights(second.requests)).toEqual([]);
      expect(await first.evaluate(NOTICES)).toContain('it is asked for again');
      // the second draws, too, as far as the first can see
      await second.evaluate(`void navigator.locks.request('unetc drawing', () => new Promise(() => {}))`);

      await first.until(DONE, LONG);
      const drawn = await savedValues(first);
      expect(largestDifference(drawn, savedSamples(path.join(folder, 'node')))).toBeLessThan(1e-3);
      const others = first.requests.filter(
        (url) => !/^(data|blob):/.test(url) && !url.startsWith(server.url),
      );
      expect(others).toEqual([]);
      const link = await first.evaluate<string>('location.href');
      expect(link).toContain(`#${ASKED}&model=`);
      await first.evaluate(`location.hash = 'seeds=0-1&sampler=ddpm&steps=${STEPS}'`);
      await first.until(`/^Step \\d+ of ${STEPS}/.test(${STATUS})`, LONG);
      await first.evaluate(
        `document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))`,
      );
      await first.until(`/^Stopped/.test(${STATUS})`, LONG);
      await first.evaluate(`document.getElementById('resume').click()`);
      await first.evaluate(BACKGROUND);
      await first.until(`/^Step/.test(${STATUS})`, LONG);
      const step = `Number(/^Step (\\d+)/.exec(${STATUS})?.[1])`;
      const before = await first.evaluate<number>(step);
      await first.inWorker('self.device.destroy()');
      await first.until(`${NOTICES}.includes('drawing goes on where it was')`, LONG);
      await first.until(`${step} > ${before}`, LONG);
      const told = await first.evaluate<string>(NOTICES);
      expect(told).toContain('Another tab draws, too');
      expect(told).toMatch(/The GPU device was lost.*it is opened again/);
      expect(told).toContain('went on in the background');
      // what was opened again was opened from what was kept, and gives the same bits
      await first.evaluate(`document.getElementById('stop').click()`);
      await first.until(`/^Stopped/.test(${STATUS})`, LONG);
      await first.evaluate(`location.hash = '${ASKED}'`);
      await first.until(DONE, LONG);
      expect(largestDifference(await savedValues(first), drawn)).toBe(0);
      expect(weights(server.asked).at(-1)).toMatch(/safetensors@\d+$/);
      await first.close();
      await second.close();

      server.asked.length = 0;
      const again = await chromium.open(link);
      await again.until(LOADED, LONG);
      expect(server.asked.filter((name) => name.startsWith('/model/'))).toEqual([]);
      expect([...first.console, ...second.console, ...again.console]).toEqual([]);
      await again.close();
    },
  );

  test(
    'goes on where its storage is full, its server gives no parts, and files are missing or others',
    PATIENT,
    async () => {
      beginWorkersWith(WITHOUT_KERNELS);
      const simple = await serveFolder(pageFolder, { ranges: false });
      const page = await chromium.open(simple.url);
      const quota = { origin: new URL(simple.url).origin, quotaSize: 500_000 };
      await page.send('Storage.overrideQuotaForOrigin', quota);
      const failure = 'document.getElementById("failure").innerText';
      const draw = `document.getElementById('draw').click()`;

      simple.instead('/weights.safetensors', 404);
      await page.until(`/^The first picture loads/.test(${STATUS})`, LONG);
      await page.evaluate(draw);
      await page.until(`${failure}.includes('the server says 404 Not Found')`, LONG);
      expect(await page.evaluate(failure)).toContain('The model did not come whole');

      simple.instead('/weights.safetensors', '<title>Please sign in</title>');
      await page.evaluate(`document.querySelector('#failure button').click()`);
      await page.until(`${failure}.includes('whose SHA-256 is')`, LONG);

      simple.breakOff('/weights.safetensors', 1_000_000);
      await page.evaluate(`document.querySelector('#failure button').click()`);
      await page.until(LOADED, LONG);
      await page.until(`${NOTICES}.includes('the storage that the browser grants is full; the model runs')`);
      expect(await page.evaluate('document.getElementById("failure").hidden')).toBe(true);
      expect(simple.asked.filter((name) => name.includes('/weights'))).toHaveLength(4);
      expect(simple.asked.filter((name) => name.includes('manifest.json'))).toHaveLength(1);
      await page.close();
      await simple.close();
    },
  );

  test('says what is missing where nothing can be drawn, and what to do', PATIENT, async () => {
    const without = await chromium.open(server.url, 'delete Navigator.prototype.gpu');
    const failure = 'document.getElementById("failure").innerText';
    await without.until('document.querySelectorAll("#sheet li").length > 4');
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
