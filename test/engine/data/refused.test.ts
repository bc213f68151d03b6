// What the system refuses to open or to read ends a run over the data, whatever kind of data it is: only what a file holds is
// a reason to leave it out.

import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Wanted } from '../../../engine/data/batch.ts';
import type { Dataset } from '../../../engine/data/dataset.ts';
import { openData } from '../../../engine/data/open-data.ts';
import { readImages } from '../../../engine/jobs/images.ts';
import { dataIdentity } from '../../../engine/training/data-identity.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { cifarFile, idxFile, npyFile, npzFile } from '../../fixtures/array-files.ts';
import { pngFile } from '../../fixtures/png-file.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const wanted: Wanted = { channels: 1, space: [4, 4], classes: null, low_res: null, range: 1 };

afterEach(() => void vi.restoreAllMocks());

function write(name: string, bytes: Uint8Array): string {
  fs.mkdirSync(path.dirname(at(name)), { recursive: true });
  fs.writeFileSync(at(name), bytes);
  return at(name);
}

const picture = (level: number) => pngFile({ width: 4, height: 4, type: 0, bits: 8 }, () => level);

/** From now on one call of the system fails for the files of a name. */
function refuse(
  call: 'openSync' | 'readSync' | 'statSync' | 'readFileSync',
  name: string,
  code: string,
): void {
  const opened = new Map<number, string>();
  const fail = (): never => {
    const syscall = call.replace('Sync', '');
    throw Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall });
  };
  const open = fs.openSync;
  vi.spyOn(fs, 'openSync').mockImplementation((file, ...rest) => {
    if (call === 'openSync' && path.basename(String(file)) === name) fail();
    const fd = open(file, ...rest);
    opened.set(fd, path.basename(String(file)));
    return fd;
  });
  if (call === 'openSync') return;
  const original = fs[call] as (...args: unknown[]) => unknown;
  vi.spyOn(fs, call).mockImplementation(((first: unknown, ...rest: unknown[]) => {
    const file = typeof first === 'number' ? opened.get(first) : path.basename(String(first));
    if (file === name) fail();
    return original(first, ...rest);
  }) as never);
}

async function open<T>(place: string, use: (data: Dataset) => Promise<T>, model = wanted): Promise<T> {
  const data = await openData(place, model, { workers: 0 });
  try {
    return await use(data);
  } finally {
    await data.close();
  }
}

/** What reading all of it once through, or a step of training, rejects with. */
const reading = (data: Dataset) => data.rows({ batch: data.count }).next();
const training = (data: Dataset) => data.steps({ batch: data.count }).next();

describe.each([
  ['openSync', 'EMFILE', 'too many files are open; raise the limit with `ulimit -n`'],
  ['openSync', 'ENFILE', 'too many files are open on this machine'],
  ['openSync', 'EACCES', 'permission denied; check who owns it and its mode'],
  ['openSync', 'ENOENT', 'there is no such file or folder; check the path'],
  ['readSync', 'EIO', 'the device reports an input/output error; check the disk'],
  ['readSync', 'ENOMEM', 'the system has no memory left for it; free some'],
  ['readSync', 'ESTALE', 'the server knows the file no more; mount the file system again'],
] as const)('%s of a picture with %s', (call, code, says) => {
  test.each([
    ['a step of training', training],
    ['a reading of all of it', reading],
  ])('ends %s, and leaves nothing out', async (_, take) => {
    for (const i of [0, 1, 2]) write(`set/${i}.png`, picture(i));
    await open(at('set'), async (data) => {
      refuse(call, '1.png', code);
      const found = take(data);
      await expect(found).rejects.toMatchObject({ kind: 'input' });
      await expect(found).rejects.toThrow(`${at('set', '1.png')}: ${says}`);
      expect(data.skipped().count).toBe(0);
    });
  });
});

test('a first picture that is refused ends the opening of the data', async () => {
  for (const i of [0, 1]) write(`set/${i}.png`, picture(i));
  refuse('readSync', '0.png', 'EIO');
  await expect(openData(at('set'), wanted, { workers: 0 })).rejects.toThrow('0.png: the device reports');
});

test('a picture that is cut short is left out as ever, and the next day the same data is read', async () => {
  write('set/0.png', picture(0));
  write('set/1.png', picture(1).subarray(0, -20));
  write('set/2.png', picture(2));
  await open(at('set'), async (data) => {
    const { value } = await reading(data);
    expect(value!.samples).toEqual([0, 2]);
    expect(data.skipped().files.map(({ file }) => path.basename(file))).toEqual(['1.png']);
  });
});

test('a link that the system does not look at ends the listing; one that leads in a circle is left out', async () => {
  write('set/0.png', picture(0));
  fs.symlinkSync('around.png', at('set', 'around.png'));
  fs.symlinkSync('0.png', at('set', 'link.png'));
  await open(at('set'), async (data) => {
    expect(data.count).toBe(2);
    expect(data.skipped().files[0]).toMatchObject({ reason: expect.stringContaining('leads nowhere') });
  });
  refuse('statSync', 'link.png', 'EACCES');
  await expect(openData(at('set'), wanted, { workers: 0 })).rejects.toThrow(
    `${at('set', 'link.png')}: permission denied`,
  );
});

/** Each kind of arrays: its file, the names of those that are read, and the model that it fits. */
const ARRAYS = {
  IDX: ['d/train-images-idx3-ubyte', 'd/train-labels-idx1-ubyte'],
  CIFAR: ['d/data_batch_1.bin', 'd/batches.meta.txt'],
  npz: ['d.npz'],
  npy: ['d.npy'],
  safetensors: ['d.safetensors'],
} as const;

function arrays(kind: keyof typeof ARRAYS): { readonly place: string; readonly model: Wanted } {
  const bytes = Uint8Array.from({ length: 48 }, (_, i) => i);
  const [first] = ARRAYS[kind];
  switch (kind) {
    case 'IDX':
      write(
        'd/train-labels-idx1-ubyte',
        idxFile(8, [3], (i) => i),
      );
      write(
        first,
        idxFile(8, [3, 4, 4], (i) => i),
      );
      return { place: at('d'), model: { ...wanted, classes: 3 } };
    case 'CIFAR': {
      const names = Array.from({ length: 10 }, (_, i) => `class ${i}`).join('\n');
      write('d/batches.meta.txt', new TextEncoder().encode(names));
      write(
        first,
        cifarFile([[1], [2]], (_, i) => i),
      );
      return { place: at('d'), model: { ...wanted, channels: 3, space: [32, 32], classes: 10 } };
    }
    case 'npz':
      return { place: write(first, npzFile({ arr_0: { shape: [3, 4, 4], data: bytes } })), model: wanted };
    case 'npy':
      return { place: write(first, npyFile('|u1', [3, 4, 4], bytes)), model: wanted };
    case 'safetensors': {
      const x_start = { shape: [3, 1, 4, 4], data: new Float32Array(48) };
      return { place: write(first, writeTensors(new Map([['x_start', x_start]]))), model: wanted };
    }
  }
}

describe.each(Object.keys(ARRAYS) as (keyof typeof ARRAYS)[])('%s', (kind) => {
  test.each(ARRAYS[kind].map((name) => path.basename(name)))('%s that is refused is named', async (name) => {
    const { place, model } = arrays(kind);
    await open(
      place,
      async (data) => expect((await reading(data)).value!.samples).toHaveLength(data.count),
      model,
    );
    const descriptors = fs.readdirSync('/proc/self/fd').length;
    const calls = name.endsWith('.txt')
      ? (['statSync', 'readFileSync'] as const)
      : (['openSync', 'readSync'] as const);
    for (const call of calls) {
      refuse(call, name, 'EIO');
      const found = openData(place, model, { workers: 0 });
      await expect(found).rejects.toMatchObject({ kind: 'input' });
      await expect(found).rejects.toThrow(/d(ata_batch_1)?[./].*: the device reports an input\/output error/);
      vi.restoreAllMocks();
    }
    expect(fs.readdirSync('/proc/self/fd').length).toBe(descriptors);
  });

  test('a row that cannot be read later is named', async () => {
    const { place, model } = arrays(kind);
    await open(
      place,
      async (data) => {
        const read = vi.spyOn(fs, 'readSync').mockImplementation(() => {
          throw Object.assign(new Error('EIO: injected, read'), { code: 'EIO', syscall: 'read' });
        });
        await expect(reading(data)).rejects.toThrow(/: the device reports an input\/output error/);
        expect(read).toHaveBeenCalled();
      },
      model,
    );
  });
});

test('images that a job reads, and what data is told by, name what the system says of them', async () => {
  write('low/1.png', picture(1));
  const refused = { kind: 'input', message: expect.stringMatching(/low.*: the device reports an input/) };
  for (const [call, name] of [
    ['statSync', 'low'],
    ['openSync', '1.png'],
    ['readSync', '1.png'],
  ] as const) {
    refuse(call, name, 'EIO');
    expect(() => readImages(at('low'), 'low_res')).toThrow(expect.objectContaining(refused));
    vi.restoreAllMocks();
  }
  refuse('statSync', 'low', 'EIO');
  const turn = async (): Promise<void> => undefined;
  await expect(dataIdentity(at('low'), 'pictures', turn)).rejects.toMatchObject(refused);
  await expect(openData(at('low'), wanted, { workers: 0 })).rejects.toMatchObject(refused);
});

test('a folder above the data that may not be entered is no pipe', async () => {
  write('closed/d.npz', npzFile({ arr_0: { shape: [1, 4, 4], data: new Uint8Array(16) } }));
  refuse('statSync', 'd.npz', 'EACCES');
  const open = fs.openSync;
  vi.spyOn(fs, 'openSync').mockImplementation((file, ...rest) => {
    if (String(file).endsWith('d.npz'))
      throw Object.assign(new Error('EACCES: injected, open'), { code: 'EACCES', syscall: 'open' });
    return open(file, ...rest);
  });
  await expect(openData(at('closed/d.npz'), wanted, { workers: 0 })).rejects.toThrow(
    'd.npz: permission denied',
  );
});
