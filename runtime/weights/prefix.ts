// The tensors of a checkpoint whose names begin with a prefix, which is taken off: a model inside a larger one.

import { fault } from '../bytes.ts';
import type { TensorInfo, WeightSource } from './source.ts';

/** Prefixes that are named in a message. */
const LISTED = 8;

/**
 * The part of `source` under `prefix`, which may lack its last dot. Throws a RuntimeError of kind `weights`, and closes
 * nothing, where no name begins with it.
 */
export function prefixedWeights(source: WeightSource, prefix: string): WeightSource {
  const tensors = source.tensors ?? [];
  const taken = [`${prefix}.`, prefix].find(
    (start) => !start.endsWith('..') && tensors.some(({ name }) => name.startsWith(start) && name !== start),
  );
  if (taken === undefined) {
    const groups = prefixesOf(tensors.map(({ name }) => name));
    const shown = groups.slice(0, LISTED).map(([start, count]) => `${JSON.stringify(start)} (${count})`);
    const more = groups.length > LISTED ? ` and ${groups.length - LISTED} more` : '';
    throw fault(
      { kind: 'weights', label: source.label },
      `no tensor's name begins with ${JSON.stringify(prefix)}; names begin with ${shown.join(', ') || 'nothing'}${more}`,
    );
  }
  return {
    ...source,
    ...(source.stem === undefined ? {} : { stem: source.stem + taken }),
    tensors: tensors
      .filter(({ name }) => name.startsWith(taken) && name !== taken)
      .map(({ name, shape }) => ({ name: name.slice(taken.length), shape })),
    read: (name, shape, scratch) => source.read(taken + name, shape, scratch),
  };
}

/** What names begin with up to their first dot, with how many do, the most first. */
function prefixesOf(names: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const start = name.slice(0, name.indexOf('.') + 1) || name;
    counts.set(start, (counts.get(start) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a);
}

/** Whether a key or a prefix is one of averaged weights, which samples are drawn with. */
export function isAveraged(key: string): boolean {
  return /(?:^|[^a-z])(?:ema|swa|average|averaged|avg|polyak)(?:[^a-z]|$)/i.test(key);
}

/** Keys or prefixes with those of averaged weights before the others. */
export function averagedFirst<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return items.toSorted((a, b) => Number(isAveraged(keyOf(b))) - Number(isAveraged(keyOf(a))));
}

/**
 * The prefixes under which every expected tensor lies in its shape, those of averaged weights first: the graph's model is
 * part of a larger one.
 */
export function fittingPrefixes(
  expected: readonly TensorInfo[],
  tensors: readonly TensorInfo[],
): readonly string[] {
  const [first, ...rest] = expected;
  if (first === undefined) return [];
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape.join()]));
  const prefixes = tensors
    .filter(({ name, shape }) => name.endsWith(`.${first.name}`) && shape.join() === first.shape.join())
    .map(({ name }) => name.slice(0, -first.name.length))
    .filter((prefix) => rest.every(({ name, shape }) => shapes.get(prefix + name) === shape.join()))
    .toSorted((a, b) => a.length - b.length);
  return averagedFirst(prefixes, (prefix) => prefix);
}
