// Holds a checkpoint against the tensors that a graph needs: every tensor by name and shape, every misfit told.

import { fault } from '../bytes.ts';
import type { Scratch } from '../scratch.ts';
import { nearestName } from './nearest-name.ts';
import { weightsToday } from './old-names.ts';
import { fittingPrefixes } from './prefix.ts';
import type { TensorInfo, WeightSource } from './source.ts';

/** Misfits of each kind that are written out; the rest is counted. */
const LISTED = 10;

/** A checkpoint that fits a graph, read by the graph's names. */
export interface MatchedWeights {
  /** What was done to make it fit, and the source's own notes; to be shown to the user. */
  readonly notes: readonly string[];
  /** For each expected name the checkpoint's. */
  readonly names: ReadonlyMap<string, string>;
  /**
   * The values of an expected tensor, row-major float32. The caller must not write to the result. It may lie in `scratch`
   * where one is given.
   */
  read(name: string, scratch?: Scratch): Float32Array;
}

export interface MatchOptions {
  /** Leaves out tensors that the graph does not have, with a note that lists them. Default: they are a misfit. */
  readonly allowUnexpected?: boolean | undefined;
}

/**
 * Matches every expected tensor with one of the source, by name and shape; the source may hold no others where they are
 * not allowed. A prefix that all its names share (`module.`, `model.`) is taken off, and names that older versions of
 * diffusers wrote are read as today's, each with a note. Throws a RuntimeError of
 * kind `weights` that lists what is missing, what is unexpected and what is of another shape, with the nearest names.
 */
export function matchWeights(
  expected: readonly TensorInfo[],
  stored: WeightSource,
  { allowUnexpected = false }: MatchOptions = {},
): MatchedWeights {
  const source = weightsToday(stored);
  const shapes = new Map(expected.map(({ name, shape }) => [name, shape]));
  const prefix = source.tensors === null ? '' : sharedPrefix(expected, source.tensors);
  const left =
    source.tensors === null ? [] : checkFits(shapes, source.tensors, prefix, source, allowUnexpected);
  const stripped = `took the prefix ${JSON.stringify(prefix)} off every tensor's name`;
  const leftOut = [
    `left out ${left.length} tensors that the graph does not have:`,
    ...list('left out', left, ([name, shape]) => show(name, shape)),
  ].join('\n');
  return {
    notes: [
      ...(source.notes ?? []),
      ...(prefix === '' ? [] : [stripped]),
      ...(left.length === 0 ? [] : [leftOut]),
    ],
    names: new Map(expected.map(({ name }) => [name, prefix + name])),
    read(name, scratch) {
      const shape = shapes.get(name);
      if (shape === undefined) throw new Error(`internal: ${name} is not among the expected tensors`);
      return source.read(prefix + name, shape, scratch);
    },
  };
}

/** The prefix without which the names fit: one that all have, where no name fits as it is. */
function sharedPrefix(expected: readonly TensorInfo[], tensors: readonly TensorInfo[]): string {
  const names = new Set(tensors.map(({ name }) => name));
  if (expected.some(({ name }) => names.has(name))) return '';
  const [first] = names;
  if (first === undefined) return '';
  const prefixes = expected
    .map(({ name }) => name)
    .filter((name) => first.endsWith(`.${name}`))
    .map((name) => first.slice(0, -name.length));
  return prefixes.find((prefix) => tensors.every(({ name }) => name.startsWith(prefix))) ?? '';
}

/** Throws where the tensors do not fit; gives those that are left out. */
function checkFits(
  expected: ReadonlyMap<string, readonly number[]>,
  tensors: readonly TensorInfo[],
  prefix: string,
  { label, stem, notes = [] }: WeightSource,
  allowUnexpected: boolean,
): readonly Named[] {
  const found = new Map(tensors.map(({ name, shape }) => [name.slice(prefix.length), shape]));
  const missing = [...expected].filter(([name]) => !found.has(name));
  const unexpected = [...found].filter(([name]) => !expected.has(name));
  const reshaped = [...expected].filter(([name, shape]) => {
    const other = found.get(name);
    return other !== undefined && !sameShape(shape, other);
  });
  if (missing.length + reshaped.length === 0 && (allowUnexpected || unexpected.length === 0))
    return unexpected;
  const counts = [
    `${missing.length} missing`,
    `${unexpected.length} unexpected`,
    `${reshaped.length} of another shape`,
  ].filter((count) => !count.startsWith('0'));
  throw fault(
    { kind: 'weights', label },
    [
      `the weights do not fit the graph, which has ${expected.size} tensors: ${counts.join(', ')}; ` +
        'name the checkpoint of this graph, or the graph of this checkpoint',
      ...advice(expected, tensors, stem, missing.length + reshaped.length === 0),
      ...list('missing', missing, ([name, shape]) => show(name, shape) + nearest(name, shape, unexpected)),
      ...list('unexpected', unexpected, ([name, shape]) => show(name, shape) + nearest(name, shape, missing)),
      ...list('shape', reshaped, ([name, shape]) => {
        return `${show(name, found.get(name) ?? [])}; the graph needs [${shape.join(', ')}]`;
      }),
      ...notes.map((note) => `  note: ${note}`),
    ].join('\n'),
  );
}

/** What to write instead: the part of the checkpoint that fits, or that what is too much may be left out. */
function advice(
  expected: ReadonlyMap<string, readonly number[]>,
  tensors: readonly TensorInfo[],
  stem: string | undefined,
  onlyUnexpected: boolean,
): string[] {
  if (onlyUnexpected)
    return [
      '  all that the graph has is there: --allow-unexpected (allowUnexpected in programs) leaves out the rest',
    ];
  if (stem === undefined) return [];
  const wanted = [...expected].map(([name, shape]) => ({ name, shape }));
  const fitting = fittingPrefixes(wanted, tensors).slice(0, LISTED);
  return fitting.map((prefix) => `  what fits the graph lies under a prefix: ${stem}${prefix}`);
}

type Named = readonly [name: string, shape: readonly number[]];

function list(kind: string, items: readonly Named[], line: (item: Named) => string): string[] {
  const lines = items.slice(0, LISTED).map((item) => `  ${kind}: ${line(item)}`);
  return items.length > LISTED ? [...lines, `  ${kind}: … and ${items.length - LISTED} more`] : lines;
}

function nearest(name: string, shape: readonly number[], others: readonly Named[]): string {
  const shapeOf = (of: string) => others.find(([other]) => other === of)?.[1] ?? [];
  const alike = others.filter(([, other]) => sameShape(shape, other)).map(([other]) => other);
  const best =
    nearestName(name, alike) ??
    nearestName(
      name,
      others.map(([other]) => other),
    );
  return best === null ? '' : `; the nearest is ${show(best, shapeOf(best))}`;
}

function show(name: string, shape: readonly number[]): string {
  // A name of anything but letters, digits, dots and the like is quoted: a file must not write to the terminal.
  return `${/^[\w.-]+$/.test(name) ? name : JSON.stringify(name)} [${shape.join(', ')}]`;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
