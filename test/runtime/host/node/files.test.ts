import { execFileSync } from 'node:child_process';
import fs, { symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  checkWritable,
  checkWritableFolder,
  listFolder,
  openFile,
  pathKind,
  readFile,
  writeFile,
  writeLargeFile,
} from '../../../../runtime/host/node/files.ts';
import { writeFolder, writeLargeFolder } from '../../../../runtime/host/node/folders.ts';
import { faultOf } from '../../../fixtures/faults.ts';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'unetc-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const at = (...names: readonly string[]) => path.join(folder, ...names);
const text = (...names: readonly string[]) => fs.readFileSync(at(...names), 'utf8');
const input = (label: string) => ({ kind: 'input', label }) as const;

describe('reading', () => {
  test('ranges of a file, and the whole', () => {
    fs.writeFileSync(at('a'), 'hello');
    const source = openFile(input(at('a')));
    expect(source.size).toBe(5);
    expect(new TextDecoder().decode(source.read(1, 3))).toBe('ell');
    expect(source.read(5, 0).length).toBe(0);
    expect(faultOf('input', () => source.read(3, 3))).toBe(
      `${at('a')}: bytes 3 to 6 are wanted, but there are 5; the file is cut short`,
    );
    expect(faultOf('input', () => source.read(-1, 3))).toContain('bytes -1 to 2');
    source.close();
    source.close();
    expect(faultOf('input', () => source.read(0, 1))).toContain('after it was closed');
    expect(new TextDecoder().decode(readFile(input(at('a'))))).toBe('hello');
  });

  test('a file that shrinks meanwhile', () => {
    fs.writeFileSync(at('a'), 'hello');
    const source = openFile(input(at('a')));
    fs.truncateSync(at('a'), 2);
    expect(faultOf('input', () => source.read(0, 5))).toBe(
      `${at('a')}: the file became shorter while it was being read`,
    );
    source.close();
  });

  test('paths that are no files are of the kind that was asked for', () => {
    expect(faultOf('weights', () => openFile({ kind: 'weights', label: at('x') }))).toContain(
      'there is no such file',
    );
    expect(faultOf('bundle', () => openFile({ kind: 'bundle', label: folder }))).toContain(
      'this is a folder',
    );
    expect(faultOf('input', () => openFile(input('/dev/null')))).toContain(
      'this is a device; name a regular file',
    );
    expect(faultOf('input', () => openFile(input(at('x'.repeat(300)))))).toContain('the name is too long');
    expect(faultOf('input', () => listFolder(input(at('x'))))).toContain('there is no such file or folder');
    expect([pathKind(folder), pathKind(at('x')), pathKind('/dev/null')]).toEqual([
      'folder',
      'missing',
      'other',
    ]);
  });
});

describe('what is no regular file is refused at once', () => {
  test.skipIf(process.platform === 'win32')('pipes that nobody writes to, devices without an end', () => {
    execFileSync('mkfifo', [at('pipe')]);
    symlinkSync(at('pipe'), at('link'));
    for (const name of ['pipe', 'link']) {
      expect(faultOf('weights', () => openFile({ kind: 'weights', label: at(name) }))).toBe(
        `${at(name)}: this is a pipe; write it to a file and name that`,
      );
    }
    for (const device of ['/dev/zero', '/dev/full', '/dev/urandom', '/dev/null']) {
      expect(faultOf('input', () => readFile(input(device)))).toBe(
        `${device}: this is a device; name a regular file`,
      );
    }
  });
});

describe('writing a file', () => {
  test.skipIf(!fs.existsSync('/proc/self'))(
    'a folder in which none can be made is a fault, not a wait',
    () => {
      expect(faultOf('output', () => writeFile('/proc/none/at/all', 'x'))).toContain('/proc/none/at/all: ');
    },
  );

  test('it appears whole, in folders that are made, and nothing else is left', () => {
    writeFile(at('a', 'b', 'c.txt'), 'one');
    writeFile(at('a', 'b', 'c.txt'), [Uint8Array.of(0x74), Uint8Array.of(0x77, 0x6f)]);
    writeFile(at('a', 'd'), Uint8Array.of(0x78));
    expect([text('a', 'b', 'c.txt'), text('a', 'd')]).toEqual(['two', 'x']);
    expect(listFolder(input(folder))).toEqual(['a/b/c.txt', 'a/d']);
  });

  test('where the content fails midway, what was there still stands', () => {
    writeFile(at('a'), 'old');
    const broken = function* () {
      yield Uint8Array.of(1);
      throw new Error('broken');
    };
    expect(() => writeFile(at('a'), broken())).toThrow('broken');
    expect(text('a')).toBe('old');
    expect(listFolder(input(folder))).toEqual(['a']);
  });

  /** 40 pieces of a megabyte, between which `between` is called. */
  function* pieces(between: (piece: number) => void): Generator<Uint8Array> {
    for (let i = 0; i < 40; i++) {
      between(i);
      yield new Uint8Array(2 ** 20).fill(i);
    }
  }

  test('a large one has the same bytes, and the event loop its turns in between', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    // as long as what is computed piece by piece
    const work = () => {
      for (const end = performance.now() + 10; performance.now() < end; );
    };
    await writeLargeFile(at('large'), pieces(work), new AbortController().signal);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
    writeFile(
      at('small'),
      pieces(() => {}),
    );
    expect(fs.readFileSync(at('large')).equals(fs.readFileSync(at('small')))).toBe(true);
  });

  test('a large one that is stopped is not there, what stood there stands, and nothing is left', async () => {
    writeFile(at('a'), 'old');
    const controller = new AbortController();
    const listeners = process.listenerCount('exit');
    const stopped = writeLargeFile(
      at('a'),
      pieces((piece) => {
        if (piece === 3) controller.abort(new Error('stopped'));
      }),
      controller.signal,
    );
    await expect(stopped).rejects.toThrow('stopped');
    const broken = writeLargeFile(
      at('a'),
      pieces((piece) => {
        if (piece === 3) throw new Error('broken');
      }),
      new AbortController().signal,
    );
    await expect(broken).rejects.toThrow('broken');
    expect(text('a')).toBe('old');
    expect(listFolder(input(folder))).toEqual(['a']);
    expect(process.listenerCount('exit')).toBe(listeners);
    await expect(
      writeLargeFile(
        '/dev/full',
        pieces(() => {}),
        new AbortController().signal,
      ),
    ).rejects.toThrow('/dev/full: no space is left');
  });

  test('its mode and its link are kept', () => {
    fs.writeFileSync(at('target'), 'old', { mode: 0o600 });
    fs.symlinkSync(at('target'), at('link'));
    writeFile(at('link'), 'new');
    expect(text('target')).toBe('new');
    expect(fs.lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect(fs.statSync(at('target')).mode & 0o777).toBe(0o600);
  });

  test('a device is written to, not replaced', () => {
    writeFile('/dev/null', 'gone');
    expect(pathKind('/dev/null')).toBe('other');
  });

  test('faults say what to do', () => {
    fs.writeFileSync(at('file'), '');
    expect(faultOf('output', () => writeFile(folder, 'x'))).toBe(`${folder}: this is a folder; name a file`);
    expect(faultOf('output', () => writeFile(at('file', 'x'), 'x'))).toContain(
      'a part of the path is a file',
    );
    expect(faultOf('output', () => writeFile(at('x'.repeat(300)), 'x'))).toContain('the name is too long');
    if (process.platform === 'linux') {
      expect(faultOf('output', () => writeFile('/dev/full', 'x'))).toBe(
        '/dev/full: no space is left on the device; free some, or write elsewhere',
      );
    }
    expect(listFolder(input(folder))).toEqual(['file']);
  });

  test('whether it could be written is said before, and nothing is made', () => {
    fs.writeFileSync(at('file'), '');
    checkWritable(at('new', 'deep', 'file'));
    checkWritable(at('file'));
    checkWritableFolder(at('new', 'deep'));
    expect(faultOf('output', () => checkWritable(folder))).toContain('this is a folder');
    expect(faultOf('output', () => checkWritable(at('file', 'x')))).toContain(
      'a file where a folder is needed',
    );
    expect(faultOf('output', () => checkWritableFolder(at('file')))).toContain(
      'a file where a folder is needed',
    );
    expect(listFolder(input(folder))).toEqual(['file']);
  });
});

describe('writing a folder', () => {
  const FILES = new Map<string, string | Uint8Array>([
    ['manifest.json', '{}'],
    ['kernels/a.wgsl', Uint8Array.of(0x61)],
  ]);
  const owned = (name: string, read: () => Uint8Array) =>
    name.startsWith('kernels/') || (name === 'manifest.json' && new TextDecoder().decode(read()) === '{}');

  test('a new one, an empty one, and one that was written before', () => {
    writeFolder(at('deep', 'out'), FILES, owned);
    expect(listFolder(input(at('deep', 'out')))).toEqual(['kernels/a.wgsl', 'manifest.json']);
    writeFolder(at('deep', 'out'), new Map([['manifest.json', '{}']]), owned);
    expect(listFolder(input(folder))).toEqual(['deep/out/manifest.json']);
    fs.mkdirSync(at('empty'));
    writeFolder(at('empty'), FILES, owned);
    expect(text('empty', 'kernels', 'a.wgsl')).toBe('a');
    expect(fs.readdirSync(folder).sort()).toEqual(['deep', 'empty']);
  });

  test('one that holds anything else is refused untouched', () => {
    fs.mkdirSync(at('home'));
    fs.writeFileSync(at('home', 'thesis.tex'), 'years');
    expect(faultOf('output', () => writeFolder(at('home'), FILES, owned))).toBe(
      `${at('home')}: the folder holds thesis.tex, which was not written here; name an empty or a new folder`,
    );
    fs.rmSync(at('home', 'thesis.tex'));
    fs.writeFileSync(at('home', 'manifest.json'), '{"name":"an extension"}');
    expect(faultOf('output', () => writeFolder(at('home'), FILES, owned))).toContain(
      'the folder holds manifest.json',
    );
    expect(listFolder(input(folder))).toEqual(['home/manifest.json']);
  });

  test('a file in its place is refused', () => {
    fs.writeFileSync(at('out'), '');
    expect(faultOf('output', () => writeFolder(at('out'), FILES, owned))).toContain(
      'this is a file; name a folder',
    );
  });

  test('where writing fails, nothing is left and the old one stands', () => {
    writeFolder(at('out'), FILES, owned);
    const bad = new Map([...FILES, [`kernels/${'x'.repeat(300)}`, '']]);
    expect(faultOf('output', () => writeFolder(at('out'), bad, owned))).toContain('the name is too long');
    expect(() => writeFolder(at('out'), new Map([['../x', '']]), owned)).toThrow(
      'internal: "../x" leads out',
    );
    expect(listFolder(input(folder))).toEqual(['out/kernels/a.wgsl', 'out/manifest.json']);
  });

  test('a large one is written piece by piece, in order, and an abort leaves nothing', async () => {
    const order: string[] = [];
    function* piece(name: string, value: number) {
      order.push(name);
      yield Uint8Array.of(value);
      yield Uint8Array.of(value + 1);
    }
    const files = () =>
      new Map([
        ['b', piece('b', 0x61)],
        ['a', piece('a', 0x63)],
      ]);
    await writeLargeFolder(at('large'), files(), () => true, new AbortController().signal);
    expect([order, text('large', 'b'), text('large', 'a')]).toEqual([['b', 'a'], 'ab', 'cd']);
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(writeLargeFolder(at('other'), files(), () => true, stopped)).rejects.toThrow('enough');
    expect(fs.readdirSync(folder)).toEqual(['large']);
  });
});
