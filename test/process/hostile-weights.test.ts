// Weights that ask for much, that never end or that write to the terminal, each given to a process: its exit, its time,
// its memory, and what it leaves behind.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import {
  dict,
  floats,
  latin1,
  legacyFile,
  tensor,
  torchArchive,
  uint32,
  unicode,
} from '../fixtures/torch-archive.ts';

const root = path.join(import.meta.dirname, '..', '..');
const main = path.join(root, 'dist', 'cli', 'main.js');
const folder = mkdtempSync(path.join(tmpdir(), 'unetc-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => expect(existsSync(main), 'run `npm run build` first').toBe(true));
const at = (name: string) => path.join(folder, name);

/** The most memory that a process takes for a file that is refused, in kB: some 55 MB are Node's own. */
const MOST_MEMORY = 110_000;
/** On a machine that others use, too. */
const MOST_SECONDS = 8;

/**
 * Prints the most memory that the process had as the last line of stderr, where the system tells. What `resourceUsage` has
 * is no less than that of the process which started it.
 */
const WATCH = `data:text/javascript,import fs from 'node:fs';process.on('exit',()=>{
  try{process.stderr.write(/VmHWM:.*/.exec(fs.readFileSync('/proc/self/status','utf8'))[0])}catch{}})`.replace(
  '\n',
  '',
);

interface Outcome {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** In kB. */
  readonly peak: number;
  readonly seconds: number;
}

function unetc(...words: readonly string[]): Outcome {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', WATCH, main, ...words], {
    encoding: 'utf8',
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  const peak = Number(/^VmHWM:\s*(\d+) kB/m.exec(stderr)?.[1] ?? 0);
  return { exit: status, stdout, stderr, peak, seconds: (performance.now() - start) / 1000 };
}

/** `piece` over and over, some 4 MB of it. */
function many(piece: string, bytes = 3_900_000): string {
  return piece.repeat(Math.ceil(bytes / piece.length));
}

const view = { count: 4, shape: [4], stride: [1] };
const four = { 0: floats(1, 2, 3, 4) };
const pickle = (body: string, level: 0 | 6 = 0) => torchArchive(body, {}, {}, level);

const CONVERTED: Readonly<Record<string, Uint8Array>> = {
  'dicts.pt': pickle(many('}')),
  'lists.pt': pickle(many(']')),
  'tuples.pt': pickle(many(')')),
  'tuples-in-tuples.pt': pickle(`N${many('\x85')}`),
  'sets.pt': pickle(many('\x8f')),
  'none.pt': pickle(many('N')),
  'none-long.pt': pickle(many('N', 30_000_000)),
  'popped.pt': pickle(many('N0', 30_000_000)),
  'copies.pt': pickle(`N${many('2')}`),
  'memo.pt': pickle(`N${many('\x94')}`),
  'memo-far.pt': pickle('Nr\xff\xff\xff\xff'),
  'short-text.pt': pickle(many('\x8c\x00')),
  'long-text.pt': pickle(many(`X${uint32(60000)}${'a'.repeat(60000)}`, 60_000_000)),
  'one-text.pt': pickle(`X${uint32(60_000_000)}${'a'.repeat(60_000_000)}`),
  'names.pt': pickle(many('cos\nsystem\n')),
  'items.pt': pickle(`](${many('N')}e`),
  'nested.pt': pickle(`}${many(`${unicode('a')}}`)}`),
  'packed.pt': pickle(many('}', 60_000_000), 6),
  'bare.pkl': latin1(`\x80\x04${many('}')}.`),
  'legacy.pt': legacyFile(many('}')),
  'stride-0.pt': torchArchive(dict({ a: tensor({ count: 4, shape: [0x10000000], stride: [0] }) }), four),
  'metadata.pt': torchArchive(dict({ __metadata__: tensor(view) }), four),
  'after.pt': zipSync(
    { 'a/data.pkl': latin1(`\x80\x02${dict({ a: tensor(view) })}.junk`), 'a/data/0': four[0] },
    { level: 0 },
  ),
  'index.json': latin1('{"weight_map": {"a": "../../etc/passwd"}}'),
};

const SEEN: Readonly<Record<string, string>> = {
  'metadata.pt': '__metadata__',
  'after.pt': 'ends 4 bytes before its file does',
  'stride-0.pt': 'tensor "a": [268435456] takes 1073741824 bytes',
  'index.json': 'leads out of the folder',
};

describe('unetc convert', () => {
  test.each(Object.keys(CONVERTED))(
    '%s is refused early, with little memory and nothing left behind',
    (name) => {
      writeFileSync(at(name), CONVERTED[name]!);
      const { exit, stdout, stderr, peak, seconds } = unetc('convert', at(name), at('out.safetensors'));
      rmSync(at(name));
      expect(stderr).toContain(SEEN[name] ?? `error: ${at(name)}: `);
      expect({ exit, stdout }).toEqual({ exit: 4, stdout: '' });
      expect(peak).toBeLessThan(MOST_MEMORY);
      expect(seconds).toBeLessThan(MOST_SECONDS);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test('a packed storage of 512 MB under twenty names is not unpacked', () => {
    const count = 2 ** 27;
    const names = Array.from({ length: 20 }, (_, i) => [`w${i}`, tensor({ ...view, count })] as const);
    writeFileSync(
      at('views.pt'),
      torchArchive(dict(Object.fromEntries(names)), { 0: new Uint8Array(4 * count) }, {}, 6),
    );
    const { exit, stderr, peak } = unetc('convert', at('views.pt'), at('out.safetensors'));
    rmSync(at('views.pt'));
    expect(stderr).toContain('entry "a/data/0" is packed and has 536870912 bytes');
    expect(exit).toBe(4);
    expect(peak).toBeLessThan(MOST_MEMORY);
  });
});

describe.skipIf(process.platform === 'win32')('what is no regular file', () => {
  const graph = path.join(root, 'graphs', 'mnist.json');
  const paths: Readonly<Record<string, () => string>> = {
    '/dev/zero': () => '/dev/zero',
    '/dev/urandom': () => '/dev/urandom',
    '/dev/full': () => '/dev/full',
    'a pipe without a writer': () => {
      rmSync(at('pipe'), { force: true });
      execFileSync('mkfifo', [at('pipe')]);
      return at('pipe');
    },
    'a folder': () => folder,
  };

  test.each(Object.keys(paths))('%s as weights, checkpoint or shard: exit 4, at once', (name) => {
    const file = paths[name]!();
    writeFileSync(at('i.json'), JSON.stringify({ weight_map: { a: 'shard' } }));
    for (const words of [
      ['convert', file, at('o.safetensors')],
      ['check', graph, file],
      ['infer', file],
      ['sample', graph, '--weights', file, '--seeds', '0', '--out', at('s')],
      ['export', graph, '--weights', `${file}#ema`, '-o', at('m.onnx')],
    ]) {
      const { exit, stderr, seconds } = unetc(...words);
      expect({ words, exit, told: stderr.includes(`${file}: this is a `) }).toEqual({
        words,
        exit: 4,
        told: true,
      });
      expect(seconds).toBeLessThan(MOST_SECONDS);
    }
  });

  test('a graph is none either: exit 3', () => {
    for (const file of ['/dev/zero', paths['a pipe without a writer']!()]) {
      const { exit, seconds } = unetc('validate', file);
      expect({ file, exit }).toEqual({ file, exit: 3 });
      expect(seconds).toBeLessThan(MOST_SECONDS);
    }
  });
});

describe('names that steer a terminal', () => {
  const NAMES = ['a\u009b2J', 'b\u001b[2J', 'c\u007f', 'd\u202e', 'e\rfine', 'f\u009d0;title\u009c'];

  test('are written out by every command that shows them, and in JSON keep their value', () => {
    const graph = path.join(root, 'graphs', 'mnist.json');
    const one = { shape: [1], data: Float32Array.of(1) };
    writeFileSync(at('c1.safetensors'), writeTensors(new Map(NAMES.map((name) => [name, one]))));
    const opaque = 'cmy\u009b2J\nx\n)\x81';
    const parts = { 'w\u009b': opaque, w: tensor(view) };
    const body = Object.entries(parts).map(([name, value]) => {
      const text = Buffer.from(name, 'utf8').toString('latin1');
      return `X${uint32(text.length)}${text}${value}`;
    });
    writeFileSync(at('c1.pt'), torchArchive(`}(${body.join('').replace('my\u009b', 'my\xc2\x9b')}u`, four));
    for (const file of [at('c1.safetensors'), at('c1.pt')]) {
      const calls = [
        ['check', graph, file],
        ['infer', file],
        ['diff', graph, file],
        ['convert', file, at('o.safetensors')],
        ['sample', graph, '--weights', file, '--seeds', '0', '--out', at('s')],
        ['check', graph, file, '--json'],
        ['diff', graph, file, '--json'],
        ['diff', graph, file, '--format', 'markdown'],
        ['convert', `${file}#none`, at('o.safetensors')],
      ];
      for (const words of calls) {
        const { stdout, stderr } = unetc(...words);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
        const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
        expect({ words, stdout: steering.exec(stdout), stderr: steering.exec(stderr) }).toEqual({
          words,
          stdout: null,
          stderr: null,
        });
      }
    }
    const { stdout } = unetc('check', graph, at('c1.safetensors'), '--json');
    expect(JSON.stringify(JSON.parse(stdout))).toContain('a\u009b2J');
  });
});
