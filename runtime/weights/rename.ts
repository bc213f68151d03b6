// A checkpoint read under other names: tensors renamed, left out, or filled with zeros.

import { elements } from '../tensor.ts';
import type { TensorInfo, WeightSource } from './source.ts';

export interface Renames {
  /** Names in the checkpoint and what they are to be called, where that differs. */
  readonly renames: ReadonlyMap<string, string>;
  /** Names that the checkpoint lacks and that are read as zeros. */
  readonly zeros: readonly string[];
  /** Names in the checkpoint that are left out. */
  readonly dropped: readonly string[];
}

/**
 * `source` as a graph with the tensors `expected` reads it. A prefix that all its names share (`module.`) is taken off
 * where it has to be.
 */
export function renamedWeights(
  source: WeightSource,
  { renames, zeros, dropped }: Renames,
  expected: readonly TensorInfo[],
): WeightSource {
  const original = new Map([...renames].map(([from, to]) => [to, from]));
  const [left, empty] = [new Set(dropped), new Set(zeros)];
  const wanted = expected.find(({ name }) => !empty.has(name));
  const known = wanted && (original.get(wanted.name) ?? wanted.name);
  const prefix = source.tensors && known ? sharedPrefix(source.tensors, known) : '';
  const kept = source.tensors?.flatMap(({ name, shape }) => {
    const plain = name.slice(prefix.length);
    return left.has(plain) ? [] : [{ name: renames.get(plain) ?? plain, shape }];
  });
  const there = new Set(kept?.map(({ name }) => name));
  const filled = expected.filter(({ name }) => empty.has(name) && !there.has(name));
  return {
    label: source.label,
    tensors: kept ? [...kept, ...filled] : null,
    notes: [
      ...(source.notes ?? []),
      `read by a rename map: ${renames.size} renamed, ${filled.length} filled with zeros, ${dropped.length} left out`,
    ],
    read(name, shape) {
      if (empty.has(name) && !there.has(name)) return new Float32Array(elements(shape));
      return source.read(prefix + (original.get(name) ?? name), shape);
    },
    close: () => source.close(),
  };
}

/** What stands in front of every name, where `wanted` is not there as it is. */
function sharedPrefix(tensors: readonly TensorInfo[], wanted: string): string {
  if (tensors.some(({ name }) => name === wanted)) return '';
  const found = tensors.find(({ name }) => name.endsWith(`.${wanted}`));
  const prefix = found?.name.slice(0, -wanted.length) ?? '';
  return tensors.every(({ name }) => name.startsWith(prefix)) ? prefix : '';
}
