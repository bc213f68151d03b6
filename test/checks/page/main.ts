// `npm run test:page [-- --steps N --others 0|1 --first N]`: the ten digits on a page, an enlarged and a guided picture, held against
// Node's, and the first digit of a browser that has kept nothing: bytes and seconds, beside the same model on onnxruntime-web.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { browser } from '../../browser.ts';
import { type Chromium, startChromium } from '../../fixtures/chromium.ts';
import { largestDifference, STATUS, savedSamples, savedValues } from '../../fixtures/page.ts';
import { type StaticServer, serveFolder } from '../../fixtures/static-server.ts';
import { readOptions } from '../options.ts';
import { type OtherModel, otherModels } from './others.ts';
import type { Draw } from './peer.ts';

const MODEL = ['graphs/mnist.json', '--weights', 'graphs/mnist.safetensors'];
const LONG = 3_600_000;
const TOLERANCE = 1e-3;

/** Builds of onnxruntime-web, with the provider that they are asked for: its WebGPU in both of its forms, and WebAssembly. */
const PEERS = [
  ['webgpu', 'webgpu'],
  ['all', 'webgpu'],
  ['wasm', 'wasm'],
] as const;

/** A first digit: what it took. */
interface First {
  readonly what: string;
  readonly bytes: number;
  readonly seconds: number;
  /** Of its second visit, in the same profile. */
  readonly again: { readonly bytes: number; readonly seconds: number };
  readonly difference: number;
}

/** The check by its words; gives the exit code. */
export async function check(words: readonly string[]): Promise<number> {
  const { steps, others, first } = readOptions(words, { steps: 10, others: 1, first: 5 });
  if (browser === null) {
    console.log('there is no Chromium here; install one to run this check');
    return 1;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'unetc-page-'));
  try {
    const digits = await tenDigits(folder, steps);
    if (steps > 0)
      console.log(`ten digits of ${steps} steps: at most ${digits.toExponential(2)} from Node's`);
    let worst = digits;
    for (const other of others === 0 ? [] : await otherModels(folder)) {
      const difference = await drawOther(folder, other);
      console.log(`${other.what}: at most ${difference.toExponential(2)} from Node's`);
      worst = Math.max(worst, difference);
    }
    const table = await firstDigits(folder, first);
    return worst < TOLERANCE && table.every(({ difference }) => difference < 10 * TOLERANCE) ? 0 : 1;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function unetc(...words: readonly string[]): void {
  execFileSync(process.execPath, ['dist/cli/main.js', ...words], { stdio: 'pipe' });
}

/** The largest difference between Node's ten digits and the page's. */
async function tenDigits(folder: string, steps: number): Promise<number> {
  if (steps === 0) return 0;
  unetc('web', ...MODEL, '--batch', '2', '-o', path.join(folder, 'ten'));
  const sampling = ['--seeds', '0-9', '--class', '0-9', '--steps', `ddim${steps}`, '--format', 'safetensors'];
  unetc('sample', ...MODEL, ...sampling, '-o', path.join(folder, 'node'));
  return inBrowser(path.join(folder, 'ten'), async (chromium, { url }) => {
    const page = await chromium.open(`${url}#seeds=0-9&labels=0-9&sampler=ddim&eta=0&steps=ddim${steps}`);
    await page.until(`/^10 pictures in/.test(${STATUS})`, LONG);
    return largestDifference(await savedValues(page), savedSamples(path.join(folder, 'node')));
  });
}

/** The largest difference between Node's picture and the page's. */
async function drawOther(folder: string, { web, sample, link }: OtherModel): Promise<number> {
  const [page, node] = [path.join(folder, 'other'), path.join(folder, 'other-node')];
  unetc('web', ...web, '--batch', '1', '-o', page);
  fs.rmSync(node, { recursive: true, force: true });
  unetc('sample', ...sample, '--format', 'safetensors', '-o', node);
  return inBrowser(page, async (chromium, { url }) => {
    const opened = await chromium.open(`${url}#${link}`);
    await opened.until(`/^1 picture in/.test(${STATUS})`, LONG);
    return largestDifference(await savedValues(opened), savedSamples(node));
  });
}

/** A browser without a past, and a server. */
async function inBrowser<T>(
  served: string,
  use: (chromium: Chromium, server: StaticServer) => Promise<T>,
): Promise<T> {
  const server = await serveFolder(served);
  const chromium = await startChromium();
  try {
    return await use(chromium, server);
  } finally {
    await chromium.close();
    await server.close();
  }
}

async function firstDigits(folder: string, steps: number): Promise<readonly First[]> {
  if (steps === 0) return [];
  const node = path.join(folder, 'first');
  const sampling = ['--seeds', '3', '--class', '7', '--steps', `ddim${steps}`, '--format', 'safetensors'];
  unetc('sample', ...MODEL, ...sampling, '-o', node);
  const expected = savedSamples(node);
  const table: First[] = [];
  printHead();
  for (const dtype of ['f32', 'f16']) {
    const page = path.join(folder, dtype);
    unetc('web', ...MODEL, '--batch', '1', '--dtype', dtype, '-o', page);
    const hash = `#seeds=3&labels=7&sampler=ddim&eta=0&steps=ddim${steps}`;
    table.push(told(await ourFirst(`unetc web, weights in ${dtype}`, page, hash, expected)));
  }
  const peer = path.join(folder, 'peer');
  await layPeer(peer);
  for (const [module, provider] of PEERS) {
    const what = `onnxruntime-web, ${module}`;
    try {
      table.push(told(await peerFirst(what, peer, { module, provider }, steps, expected)));
    } catch (error) {
      console.log(`${what}: cannot run it: ${String(error).split('\n')[0]}`);
    }
  }
  return table;
}

function ourFirst(what: string, folder: string, hash: string, expected: Float32Array): Promise<First> {
  return inBrowser(folder, async (chromium, server) => {
    const visit = async () => {
      const [sent, begun] = [server.sent(), performance.now()];
      const page = await chromium.open(`${server.url}${hash}`);
      await page.until(`/^1 picture in/.test(${STATUS})`, LONG);
      const seconds = (performance.now() - begun) / 1000;
      const difference = largestDifference(await savedValues(page), expected);
      await page.close();
      return { bytes: server.sent() - sent, seconds, difference };
    };
    const { difference, ...first } = await visit();
    return { what, ...first, again: await visit(), difference };
  });
}

/** The peer's page: its script, its model, and what onnxruntime-web ships. */
async function layPeer(folder: string): Promise<void> {
  const { rolldown } = await import('rolldown');
  const script = await rolldown({ input: 'test/checks/page/peer.ts', platform: 'browser' });
  await script.write({ file: path.join(folder, 'peer.mjs'), codeSplitting: false, minify: true });
  await script.close();
  fs.cpSync('node_modules/onnxruntime-web/dist', path.join(folder, 'ort'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>peer</title><body>');
  unetc('export', ...MODEL, '-o', path.join(folder, 'model.onnx'));
}

function peerFirst(
  what: string,
  folder: string,
  { module, provider }: Pick<Draw, 'module' | 'provider'>,
  steps: number,
  expected: Float32Array,
): Promise<First> {
  return inBrowser(folder, async (chromium, server) => {
    const { diffusion } = JSON.parse(fs.readFileSync('graphs/mnist.json', 'utf8'));
    const job: Draw = {
      ...{ module: `${server.url}ort/ort.${module}.min.mjs`, folder: `${server.url}ort/`, provider },
      ...{ model: `${server.url}model.onnx`, steps: `ddim${steps}`, seed: 3, label: 7 },
      diffusion: { predict: 'epsilon', variance: 'learned_range', ...diffusion },
    };
    const visit = async () => {
      const [sent, begun] = [server.sent(), performance.now()];
      const page = await chromium.open(server.url);
      const values = await page.evaluate<readonly number[]>(
        `import('${server.url}peer.mjs').then(({ draw }) => draw(${JSON.stringify(job)}))`,
      );
      const seconds = (performance.now() - begun) / 1000;
      await page.close();
      return {
        bytes: server.sent() - sent,
        seconds,
        difference: largestDifference(Float32Array.from(values), expected),
      };
    };
    const { difference, ...first } = await visit();
    return { what, ...first, again: await visit(), difference };
  });
}

function printHead(): void {
  console.log('first digit                       MB   seconds | second visit MB   seconds | from Node');
}

/** A row, as soon as it is measured. */
function told(row: First): First {
  const { what, bytes, seconds, again, difference } = row;
  const cells = [
    what.padEnd(30),
    (bytes / 1e6).toFixed(2).padStart(6),
    seconds.toFixed(1).padStart(9),
    '|',
    (again.bytes / 1e6).toFixed(2).padStart(15),
    again.seconds.toFixed(1).padStart(9),
    '|',
    difference.toExponential(1),
  ];
  console.log(cells.join(' '));
  return row;
}
