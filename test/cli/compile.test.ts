import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CompileResult } from '../../engine/compile/compile-model.ts';
import { formatManifest } from '../../runtime/bundle.ts';
import { contents, temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
const GRAPH = 'graphs/mnist.json';

describe('unetc compile', () => {
  test('writes a bundle and says what it is', async () => {
    const { exit, stdout, stderr } = await unetc('compile', GRAPH, '-o', at('b'), '--batch', '2');
    expect([exit, stdout]).toEqual([0, '']);
    expect(stderr).toContain(`${at('b')}: mnist for 2 images of 28x28, f32, target generic\n`);
    expect(stderr).toMatch(/\d+ dispatches of \d+ kernels\n/);
    expect(stderr).toMatch(/activations \d+\.\d\d MB \(without reuse \d+\.\d\d MB\), weights \d+\.\d\d MB\n/);
    const files = contents(at('b'));
    const manifest = JSON.parse(files['manifest.json']!);
    expect(manifest).toMatchObject({ name: 'mnist', batch: 2, image_size: [28, 28], taps: false });
    expect(Object.keys(files)).toEqual(
      [...manifest.kernels.map((k: { file: string }) => `kernels/${k.file}`), 'manifest.json'].sort(),
    );
  });

  test('--json has the same, and every option is compiled in', async () => {
    const words = ['--batch', '3', '--size', '56x28', '--taps', '--types'];
    const result = await unetcJson<CompileResult>('compile', GRAPH, '-o', at('b'), ...words);
    expect(result).toMatchObject({ exit: 0, output: at('b'), batch: 3, image_size: [56, 28], taps: true });
    const files = contents(at('b'));
    expect(Object.keys(files).sort()).toEqual([...result.files].sort());
    const manifest = JSON.parse(files['manifest.json']!);
    expect(manifest.outputs.map((o: { name: string }) => o.name)).toContain('middle');
    expect(manifest.inputs[0]).toMatchObject({ name: 'x', encoding: 'image', shape: [3, 1, 56, 28] });
    expect(result.dispatches).toBe(manifest.dispatches.length);
    expect(result.activation_peak_bytes).toBe(manifest.memory.activations);
  });

  test('of the explicit form gives the same bytes as of the compact one', async () => {
    fs.writeFileSync(at('explicit.json'), (await unetc('expand', GRAPH)).stdout);
    await unetc('compile', GRAPH, '-o', at('compact'));
    await unetc('compile', at('explicit.json'), '-o', at('explicit'));
    expect(contents(at('explicit'))).toEqual(contents(at('compact')));
  });

  test.each([
    ['graph', /^graph mnist /],
    ['ops', /^%0 = input\(\).*\n[\s\S]*return output=%\d+\n$/],
    ['schedule', /^#000 .* # time_embed/],
    ['memory', /peak \d+ bytes in \d+ slots, \d+ bytes without reuse\n$/],
    ['kernels', /^\/\/ ---- kernels\/\w+-[0-9a-f]{8}\.wgsl {2}dispatches #\d+/],
  ])('--emit %s prints that stage alone', async (stage, text) => {
    const { exit, stdout, stderr } = await unetc('compile', GRAPH, '--emit', stage);
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(text);
    const json = await unetcJson<CompileResult>('compile', GRAPH, '--emit', stage);
    expect(json).toMatchObject({ output: null, emit: { stage, text: stdout } });
  });

  test('a bundle is replaced by a newer one', async () => {
    await unetc('compile', GRAPH, '-o', at('b'), '--types', '--taps');
    expect((await unetc('compile', GRAPH, '-o', at('b'))).exit).toBe(0);
    expect(fs.readdirSync(at('b')).sort()).toEqual(['kernels', 'manifest.json']);
    const text = fs.readFileSync(at('b', 'manifest.json'), 'utf8');
    expect(formatManifest(JSON.parse(text))).toBe(text);
    expect(fs.readdirSync(at())).toEqual(['b']);
  });

  test.each([
    ['notes.txt', 'precious', false],
    ['kernels/mine.wgsl', 'fn precious() {}', false],
    ['bundle.js', '// precious', true],
    ['kernels/sub/mine.wgsl', 'precious', true],
    ['manifest.json', '{"name": "of a browser extension"}', false],
  ])('a folder with a strange %s is refused and left alone', async (name, text, inBundle) => {
    if (inBundle) await unetc('compile', GRAPH, '-o', at('b'));
    fs.mkdirSync(path.dirname(at('b', name)), { recursive: true });
    fs.writeFileSync(at('b', name), text);
    const before = contents(at('b'));
    const { exit, stderr } = await unetc('compile', GRAPH, '-o', at('b'));
    expect(exit).toBe(9);
    expect(stderr).toContain(`the folder holds ${name}, which was not written here`);
    expect(contents(at('b'))).toEqual(before);
  });

  test.each([
    [[GRAPH], 2, 'say where the bundle goes with -o DIR, or what to print with --emit STAGE'],
    [[GRAPH, '--emit', 'wgsl'], 2, "--emit: found 'wgsl', expected graph or ops or schedule"],
    [[GRAPH, '--emit', 'ops', '--types'], 2, '--types'],
    [[GRAPH, '-o', 'OUT', '--precision', 'int8'], 2, "--precision: found 'int8', expected f32 or f16"],
    [[GRAPH, '-o', 'OUT', '--target', 'h100'], 2, "--target: found 'h100', expected one of generic"],
    [[GRAPH, '-o', 'OUT', '--batch', 'two'], 2, '--batch'],
    [[GRAPH, '-o', 'OUT', '--size', '30x28'], 3, "the requested size's height 30 does not survive"],
    [['graphs/schema.json', '-o', 'OUT'], 3, 'error[G0'],
    [[GRAPH, '-o', `${GRAPH}/out`], 9, 'is a file where a folder is needed'],
    [[GRAPH, '-o', GRAPH], 9, 'mnist.json'],
  ])('%j exits %i and writes nothing', async (words, code, message) => {
    const argv = words.map((word) => (word === 'OUT' ? at('out') : word));
    const { exit, stdout, stderr } = await unetc('compile', ...argv);
    expect([exit, stdout]).toEqual([code, '']);
    expect(stderr).toContain(message);
    expect(fs.readdirSync(at())).toEqual([]);
  });
});
