// What the original's loader makes of pictures: the whole way from a file to values, to the last bit.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { render } from '../../../engine/data/render.ts';
import { dequantize } from '../../../runtime/image/pixels.ts';
import { asFloat32, readTensors } from '../../../runtime/weights/safetensors.ts';

interface Case {
  readonly file: string;
  readonly resolution: number;
  readonly size: readonly [number, number];
  readonly mode: string;
}

const folder = new URL('../../golden/data/', import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const cases = (JSON.parse(new TextDecoder().decode(read('cases.json'))) as { pictures: readonly Case[] })
  .pictures;
const expected = readTensors(read('expected.safetensors'), { kind: 'input', label: 'expected' });

test.each(cases)('$file ($mode, $size) at $resolution', async ({ file, resolution, size }) => {
  const rendered = await render({
    source: { kind: 'file', file: fileURLToPath(new URL(file, folder)) },
    view: { channels: 3, height: resolution, width: resolution, crop: { kind: 'centre' }, mirrored: false },
    background: null,
  });
  if (rendered.kind !== 'planes') throw new Error(JSON.stringify(rendered));
  expect([rendered.facts!.width, rendered.facts!.height]).toEqual(size);
  const wanted = asFloat32(expected.get(file.replace(/\..*/, ''))!);
  expect(wanted.shape).toEqual([3, resolution, resolution]);
  expect(Float32Array.from(rendered.planes, dequantize)).toEqual(wanted.data);
});
