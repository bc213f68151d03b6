// The results of an evaluation as files: every term of every image, and the means over the images as a table.

import { fault, type Origin } from '../../runtime/bytes.ts';
import { readFile, writeFile } from '../../runtime/host/node/files.ts';
import { asFloat32, readTensors } from '../../runtime/weights/safetensors.ts';
import { safetensorsChunks } from '../../runtime/weights/safetensors-write.ts';
import { sha256Of } from '../digest.ts';
import { placeInside } from '../jobs/inside.ts';
import type { FileHash } from '../jobs/manifest.ts';
import type { Bounds } from './job.ts';

export const BOUNDS_NAME = 'bounds.safetensors';
export const TERMS_NAME = 'terms.csv';

/** Writes `total_bpd` and `prior_bpd` [N], `vb`, `xstart_mse` and `mse` [N, T], and `timesteps` [T]. */
export function writeBounds(
  folder: string,
  name: string,
  bounds: Bounds,
  timesteps: readonly number[],
): FileHash {
  const file = placeInside(folder, name);
  const images = bounds.total_bpd.length;
  const tensor = (key: keyof Bounds, shape: readonly number[]) =>
    ({ name: key, dtype: 'F32', shape, data: () => bounds[key] }) as const;
  writeFile(
    file,
    safetensorsChunks([
      tensor('total_bpd', [images]),
      tensor('prior_bpd', [images]),
      tensor('vb', [images, timesteps.length]),
      tensor('xstart_mse', [images, timesteps.length]),
      tensor('mse', [images, timesteps.length]),
      {
        name: 'timesteps',
        dtype: 'I32',
        shape: [timesteps.length],
        data: () => Int32Array.from(timesteps),
      },
    ]),
  );
  return hashed(folder, name);
}

/** Reads what `writeBounds` wrote. Throws a RuntimeError of `kind` where it is not of so many images and steps. */
export function readBounds(file: string, images: number, steps: number, kind: Origin['kind']): Bounds {
  const origin: Origin = { kind, label: file };
  const tensors = readTensors(readFile(origin), origin);
  const values = (name: keyof Bounds, length: number): Float32Array => {
    const found = tensors.get(name);
    const data = found === undefined ? null : Float32Array.from(asFloat32(found).data);
    if (data?.length === length) return data;
    throw fault(origin, `${name} has ${data?.length ?? 'no'} values, expected ${length}; evaluate again`);
  };
  return {
    total_bpd: values('total_bpd', images),
    prior_bpd: values('prior_bpd', images),
    vb: values('vb', images * steps),
    xstart_mse: values('xstart_mse', images * steps),
    mse: values('mse', images * steps),
  };
}

/** The timesteps of the columns of what `writeBounds` wrote. */
export function readTimesteps(file: string): readonly number[] {
  const origin: Origin = { kind: 'input', label: file };
  const found = readTensors(readFile(origin), origin).get('timesteps');
  if (found === undefined) throw fault(origin, 'it has no timesteps; evaluate again');
  return Array.from(found.data as ArrayLike<number | bigint>, Number);
}

/** Writes the means over the images, a line a step, as the original's `*_terms.npz` have them. */
export function writeTermTable(
  folder: string,
  name: string,
  bounds: Bounds,
  timesteps: readonly number[],
): FileHash {
  const steps = timesteps.length;
  const means = (values: Float32Array, column: number): number => {
    const images = values.length / steps;
    let sum = 0;
    for (let row = 0; row < images; row++) sum += values[row * steps + column]!;
    return sum / images;
  };
  const lines = timesteps.map((timestep, column) =>
    [
      steps - 1 - column,
      timestep,
      ...[bounds.vb, bounds.xstart_mse, bounds.mse].map((values) => means(values, column)),
    ].join(),
  );
  writeFile(placeInside(folder, name), `index,timestep,vb,xstart_mse,mse\n${lines.join('\n')}\n`);
  return hashed(folder, name);
}

function hashed(folder: string, file: string): FileHash {
  return { file, sha256: sha256Of(readFile({ kind: 'output', label: placeInside(folder, file) })) };
}
