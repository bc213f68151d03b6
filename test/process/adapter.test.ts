// The adapter as a process has it: opened and closed many times over without a trace, and silent.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');
const api = path.join(root, 'dist', 'engine', 'api.js');
const main = path.join(root, 'dist', 'cli', 'main.js');
const folder = mkdtempSync(path.join(tmpdir(), 'unetc-adapter-'));
afterAll(() => rmSync(folder, { recursive: true }));
const graph = path.join(root, 'graphs', 'mnist.json');

/** Runs a module that has the Node API as `unetc`; C's output and Node's are told apart by nothing, as in a shell. */
function script(body: string) {
  const text = `import * as unetc from ${JSON.stringify(api)};\nimport fs from 'node:fs';\n${body}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], {
    encoding: 'utf8',
    timeout: 300_000,
  });
  return { status, stdout, stderr };
}

test('models that are opened, run and closed leave no thread, no descriptor and no line of Dawn', () => {
  const { status, stdout, stderr } = script(`
    const count = (what) => fs.existsSync('/proc/self') ? fs.readdirSync('/proc/self/' + what).length : 0;
    const counts = [];
    for (let turn = 0; turn < 12; turn++) {
      const model = await unetc.load(${JSON.stringify(graph)}, { weights: 'hash:1' });
      const x = { shape: [1, 1, 28, 28], data: new Float32Array(784) };
      await model.run({ x, timesteps: [3], y: [1] });
      await model.close();
      counts.push({ threads: count('task'), descriptors: count('fd') });
    }
    console.log(JSON.stringify(counts));`);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const counts = JSON.parse(stdout) as { threads: number; descriptors: number }[];
  // Node and the driver start threads when they first need them
  const { threads, descriptors } = counts[3]!;
  expect(counts.at(-1)!.threads).toBeLessThanOrEqual(threads + 2);
  expect(counts.at(-1)!.descriptors).toBeLessThanOrEqual(descriptors);
}, 300_000);

/** A bundle of the digits in a folder, whose first kernel begins with `code`, with new digests throughout. */
function tampered(name: string, code: string): string {
  const bundle = path.join(folder, name);
  const { status, stderr } = script(`
    const { createHash } = await import('node:crypto');
    const bundle = unetc.compile(${JSON.stringify(graph)});
    await bundle.write(${JSON.stringify(bundle)});
    const hash = (text) => createHash('sha256').update(text).digest('hex');
    const sorted = (value) => typeof value !== 'object' || value === null ? value
      : Array.isArray(value) ? value.map(sorted)
      : Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
    const manifest = structuredClone(bundle.manifest);
    const kernel = manifest.kernels.at(-1);
    const text = bundle.kernels.get(kernel.file).replace(/fn main\\([^{]*\\{/, (head) => head + ${JSON.stringify(code)});
    kernel.sha256 = hash(text);
    delete manifest.sha256;
    manifest.sha256 = hash(JSON.stringify(sorted(manifest)));
    fs.writeFileSync(${JSON.stringify(path.join(bundle, 'kernels'))} + '/' + kernel.file, text);
    fs.writeFileSync(${JSON.stringify(path.join(bundle, 'manifest.json'))}, JSON.stringify(manifest));`);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return bundle;
}

const inputs = path.join(folder, 'in.safetensors');
beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, [main, 'inputs', graph, '-o', inputs], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

function run(bundle: string, ...words: readonly string[]) {
  const output = path.join(folder, 'out.safetensors');
  const call = ['run', bundle, '--weights', 'hash:1', '--inputs', inputs, '-o', output, ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...call], {
    encoding: 'utf8',
    timeout: 240_000,
  });
  return { status, stdout, stderr };
}

test('a kernel that never ends is given up and named, and the process ends', () => {
  const bundle = tampered(
    'endless',
    ' var spin = 1u; loop { if (spin == 0u) { break; } spin = (spin * 3u) | 1u; } if (spin == 7u) { return; }',
  );
  expect(run(bundle)).toMatchObject({ status: 6, stdout: '' });
  const { status, stderr } = run(bundle, '--trust', '--timeout', '3');
  expect(stderr).toMatch(/error: .*kernels\/\S+\.wgsl.* did not end within 3 s/);
  expect(status).toBe(8);
}, 300_000);

test('a warning that Dawn has about a kernel is printed nowhere', () => {
  const bundle = tampered('warned', ' if (true) { return; }');
  const { status, stdout, stderr } = run(bundle, '--trust', '--json');
  expect(status).toBe(0);
  expect(Object.keys(JSON.parse(stdout))).toContain('tensors');
  expect(stderr).not.toMatch(/warning|artificially/i);
}, 300_000);
