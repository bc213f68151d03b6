// A machine without sharp: pictures are refused with what to install, arrays are read.

import fs from 'node:fs';
import { expect, test, vi } from 'vitest';
import { openData } from '../../engine/data/open-data.ts';
import { npzFile } from '../fixtures/array-files.ts';
import { pngFile } from '../fixtures/png-file.ts';
import { temporaryFolder } from '../temporary-folder.ts';

vi.mock('sharp', () => {
  throw new Error("Cannot find package 'sharp'");
});

const at = temporaryFolder();
const wanted = { channels: 1, space: [4, 4], classes: null, low_res: null, range: 1 } as const;

test('pictures need sharp, and nothing else does', async () => {
  fs.mkdirSync(at('set'));
  fs.writeFileSync(
    at('set', 'a.png'),
    pngFile({ width: 4, height: 4, type: 0, bits: 8 }, () => 0),
  );
  const refusal = openData(at('set'), wanted, { workers: 0 });
  await expect(refusal).rejects.toThrow(
    /decoded by the package sharp, .*: install it with `npm install sharp`, or give/,
  );
  await expect(refusal).rejects.toMatchObject({ kind: 'input' });
  fs.writeFileSync(at('a.npz'), npzFile({ arr_0: { shape: [1, 4, 4], data: new Uint8Array(16) } }));
  const data = await openData(at('a.npz'), wanted, { workers: 0 });
  expect(data.count).toBe(1);
  await data.close();
});
