// A checkpoint read under other names: tensors renamed, left out, or filled with zeros.

import { elements } from '../tensor.ts';
import type { WeightSource } from './source.ts';

export interface Renames {
  /** Names in the checkpoint and what they are to be called, where that differs. */
  readonly renames: ReadonlyMap<string, string>;
  /** Names that the checkpoint lacks and that are read as zeros. */
  readonly zeros: readonly string[];
  /** Names in the checkpoint that are left out. */
  readonly dropped: readonly string[];
}

/** `source` under the new names. A prefix that all its names share (`module.`) is taken off first where it has to be. */
export function renamedWeights(
  source: WeightSource,
  { renames, zeros, dropped }: Renames,
  shapeOf: (name: string) => readonly number[] | undefined,
): WeightSource {
  const prefix = source.tensors === null ? '' : sharedPrefix(source.tensors, [...renames.keys(), ...dropped]);
  const original = new Map([...renames].map(([from, to]) => [to, from]));
  const [left, empty] = [new Set(dropped), new Set(zeros)];
  const kept = source.tensors?.flatMap(({ name, shape }) => {
    const plain = name.slice(prefix.length);
    return left.has(plain) ? [] : [{ name: renames.get(plain) ?? plain, shape }];
  });
  const there = new Set(kept?.map(({ name }) => name));
  const filled = zeros.flatMap((name) => {
    const shape = shapeOf(name);
    return shape === undefined || there.has(name) ? [] : [{ name, shape }];
  });
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

/** What stands in front of every name, where none is as the map knows it. */
function sharedPrefix(tensors: readonly { readonly name: string }[], known: readonly string[]): string {
  const names = new Set(tensors.map(({ name }) => name));
  const [wanted] = known;
  if (wanted === undefined || known.some((name) => names.has(name))) return '';
  const found = [...names].find((name) => name.endsWith(`.${wanted}`));
  const prefix = found?.slice(0, -wanted.length) ?? '';
  return [...names].every((name) => name.startsWith(prefix)) ? prefix : '';
}
