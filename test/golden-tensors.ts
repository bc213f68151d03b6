// Reads the golden cases: `test/golden/<case>/case.json` and the tensors of its safetensors files.

import fs from 'node:fs';
import path from 'node:path';
import { readTensors } from '../runtime/weights/safetensors.ts';

const GOLDEN = path.join(import.meta.dirname, 'golden');

/** The numbers of one tensor of a golden file, in the precision they were stored in (integers as numbers). */
export type GoldenTensors = (name: string) => {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
};

/** Opens `test/golden/<file>`; asking for a tensor that is not there fails the test. */
export function goldenTensors(file: string): GoldenTensors {
  const label = path.join(GOLDEN, file);
  const tensors = readTensors(fs.readFileSync(label), { kind: 'input', label });
  return (name) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`${label} has no tensor ${name}`);
    const { shape, data } = tensor;
    return { shape, data: Array.from(data as ArrayLike<number | bigint>, Number) };
  };
}

/** Parses `test/golden/<file>` as JSON of the type that the caller knows it to be. */
export function goldenJson<T>(file: string): T {
  return JSON.parse(fs.readFileSync(path.join(GOLDEN, file), 'utf8')) as T;
}
