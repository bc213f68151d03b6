// Graphs, pictures and bundles that ask for much or say what is not so, each given to a process: its exit, its words, its
// time.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { digestedText, type Manifest } from '../../runtime/bundle.ts';
import { crc32 } from '../../runtime/weights/crc32.ts';

const root = path.join(import.meta.dirname, '..', '..');
const main = path.join(root, 'dist', 'cli', 'main.js');
const graphs = path.join(root, 'graphs');
const folder = mkdtempSync(path.join(tmpdir(), 'unetc-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

function unetc(...words: readonly string[]) {
  // what takes linear time takes a second; what did not took minutes
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return { status, stdout, stderr };
}

describe('a graph', () => {
  test('with a long key before many values is read at once', () => {
    writeFileSync(at('key.json'), JSON.stringify({ ['A'.repeat(200_000)]: Array(200_000).fill(0) }));
    const { status, stderr } = unetc('validate', at('key.json'));
    expect(status).toBe(3);
    expect(stderr).toContain('unknown key');
  });

  test('with very many faults has the first of them told, and how many more there are', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `"k${i}": 1`);
    writeFileSync(at('keys.json'), `{${keys.join()}}`);
    const { status, stderr } = unetc('validate', at('keys.json'));
    expect(status).toBe(3);
    expect(stderr.trimEnd().split('\n')).toHaveLength(21);
    expect(stderr).toMatch(/\nand 19\d{3} more\n$/);
    const { error } = JSON.parse(unetc('validate', at('keys.json'), '--json').stdout);
    expect(error.diagnostics).toHaveLength(20);
    expect(error.more).toBeGreaterThan(19_000);
  });
});

test.skipIf(process.platform === 'win32')('a pipe is waited for nowhere', () => {
  execFileSync('mkfifo', [at('pipe')]);
  const graph = path.join(graphs, 'mnist.json');
  const calls: readonly (readonly [number, ...string[]])[] = [
    [3, 'validate', at('pipe')],
    [4, 'check', graph, at('pipe')],
    [5, 'run', graph, '--weights', 'hash:1', '--inputs', at('pipe'), '-o', at('o')],
    [5, 'compile', graph, '-o', at('o'), '--tuning', at('pipe')],
    [5, 'diff', graph, path.join(graphs, 'cifar10.json'), '--accept', at('pipe')],
  ];
  for (const [exit, ...words] of calls) {
    const { status, stderr } = unetc(...words);
    expect(status, words.join(' ')).toBe(exit);
    expect(stderr, words.join(' ')).toMatch(/this is a pipe/);
  }
});

/** A PNG whose header says a size and whose data is `data`, deflated. */
function png(width: number, height: number, data: Uint8Array, interlaced = 0): Uint8Array {
  const chunk = (kind: string, body: Uint8Array) => {
    const bytes = Buffer.alloc(12 + body.length);
    bytes.writeUInt32BE(body.length);
    bytes.write(kind, 4, 'latin1');
    bytes.set(body, 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + body.length)) >>> 0, 8 + body.length);
    return bytes;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([8, 0, 0, 0, interlaced], 8);
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(data)),
    chunk('IEND', new Uint8Array()),
  ]);
}

describe('a picture for a model of 7 x 7', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['that says it is huge', png(5, 8_388_612, new Uint8Array(10)), /\[1, 8388612, 5\].*takes \[1, 7, 7\]/],
    ['whose data is short', png(7, 7, new Uint8Array(2)), /2 of the 56 bytes/],
    ['whose data is a bomb', png(7, 7, new Uint8Array(2 ** 26)), /more than the 56 bytes/],
    ['whose interlaced data is a bomb', png(7, 7, new Uint8Array(2 ** 26), 1), /more than the \d+ bytes/],
  ])('%s is refused', (_, bytes, message) => {
    writeFileSync(at('low.png'), bytes);
    const graph = path.join(graphs, 'mnist-sr');
    const words = [
      '--weights',
      `${graph}.safetensors`,
      '--low-res',
      at('low.png'),
      '--class',
      '1',
      '-o',
      at('out'),
    ];
    const { status, stderr } = unetc('sample', `${graph}.json`, ...words, '--steps', '2', '--seeds', '0');
    expect(stderr).toMatch(message);
    expect(status).toBe(5);
  });
});

describe('a bundle with new digests', () => {
  const graph = path.join(graphs, 'mnist.json');
  const bundle = at('bundle');
  const original = (): Manifest => JSON.parse(readFileSync(path.join(bundle, 'manifest.json'), 'utf8'));

  function open(text: string) {
    const changed = at('changed');
    rmSync(changed, { recursive: true, force: true });
    cpSync(bundle, changed, { recursive: true });
    writeFileSync(path.join(changed, 'manifest.json'), text);
    return unetc('run', changed, '--weights', 'hash:1', '--inputs', at('in'), '-o', at('o'));
  }
  const digested = (manifest: Manifest) => {
    const sha256 = createHash('sha256').update(digestedText(manifest)).digest('hex');
    return JSON.stringify({ ...manifest, sha256 });
  };

  test('is refused where its graph nests deeply, where nothing is left of it, and where it is not its graph', () => {
    expect(unetc('compile', graph, '-o', bundle).status).toBe(0);
    expect(unetc('inputs', graph, '-o', at('in')).status).toBe(0);
    const deep = `${'['.repeat(3000)}${']'.repeat(3000)}`;
    const nested = JSON.stringify({ ...original(), graph: { deep: '@' } }).replace('"@"', deep);
    const swapped = original().dispatches.toSpliced(
      9,
      2,
      original().dispatches[10]!,
      original().dispatches[9]!,
    );
    const cases: readonly (readonly [string, RegExp])[] = [
      [nested, /nests more than 64 levels/],
      [digested({ ...original(), dispatches: [] }), /of 0 dispatches/],
      [digested({ ...original(), dispatches: swapped }), /not what its graph compiles to/],
    ];
    for (const [text, message] of cases) {
      const { status, stderr } = open(text);
      expect(stderr).toMatch(message);
      expect(status).toBe(6);
    }
  }, 120_000);
});
