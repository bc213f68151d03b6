// How far the feature vectors of two models are apart, block by block in the order they are computed.
//
//   relative L2 = |b - a| / |a|, both norms over all elements in float64

import type { Graph } from '../../compiler/graph/graph.ts';
import { printLayer } from '../../compiler/layers/queries.ts';
import type { Tensor } from '../../runtime/tensor.ts';

type Results = ReadonlyMap<string, Tensor>;

/** One block's result, or the output's, in both models. */
export interface BlockDrift {
  /** `input_blocks.3`, `middle_block`, `output_blocks.0`, `output`. */
  readonly path: string;
  /** Without the batch. */
  readonly shape: readonly number[];
  /** Null where a value is not finite in one of the two, or where a norm is 0 in A alone. */
  readonly relative_l2: number | null;
  readonly largest: number | null;
}

export interface Drift {
  /** The blocks that both have in one shape, in order, and the output at the end. */
  readonly blocks: readonly BlockDrift[];
  /** What one of the two has alone, or in another shape. */
  readonly unmatched: readonly string[];
  /** The first block that differs by more than the tolerance; null where none does. */
  readonly first: FirstDifference | null;
}

export interface FirstDifference extends BlockDrift {
  /** Its layers that the two graphs say differently; empty where the graphs agree and only the numbers do not. */
  readonly layers: readonly { readonly path: string; readonly a: string | null; readonly b: string | null }[];
}

/** One side: its graph and what it computed, feature vectors included. */
export interface DriftSide {
  readonly graph: Graph;
  readonly results: Results;
}

/** Compares two runs on the same inputs. */
export function compareRuns(a: DriftSide, b: DriftSide, tolerance: number): Drift {
  const names = new Map([...a.graph.blocks, ...b.graph.blocks].map((block) => [block.path, tapOf(block)]));
  names.set('output', 'output');
  const blocks: BlockDrift[] = [];
  const unmatched: string[] = [];
  for (const [path, tap] of ordered(a.graph, names)) {
    const [left, right] = [a.results.get(tap), b.results.get(tap)];
    if (left && right && left.shape.join() === right.shape.join()) {
      blocks.push({ path, shape: left.shape.slice(1), ...distance(left.data, right.data) });
    } else unmatched.push(path);
  }
  const first = blocks.find(({ relative_l2 }) => relative_l2 === null || relative_l2 > tolerance);
  return { blocks, unmatched, first: first ? { ...first, layers: partingLayers(a, b, first.path) } : null };
}

/** A's blocks in order, then what B has beyond them, then the output. */
function ordered(graph: Graph, names: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  const own = graph.blocks.map(({ path }) => path);
  const others = [...names.keys()].filter((path) => !own.includes(path) && path !== 'output');
  return [...own, ...others, 'output'].map((path) => [path, names.get(path)!] as const);
}

/** The name of a block's feature vector. */
function tapOf({ role, index }: Graph['blocks'][number]): string {
  return { input: `down.${index}`, middle: 'middle', output: `up.${index}` }[role];
}

/** Norms of what two results differ by. */
export function distance(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): Pick<BlockDrift, 'relative_l2' | 'largest'> {
  let [difference, norm, largest] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const d = b[i]! - a[i]!;
    difference += d * d;
    norm += a[i]! * a[i]!;
    // A NaN stays: a comparison would pass it over.
    largest = Math.max(largest, Math.abs(d));
  }
  const relative = difference === 0 ? 0 : Math.sqrt(difference / norm);
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return { relative_l2: finite(relative), largest: finite(largest) };
}

/** The layers of a block that two graphs say differently. */
export function partingLayers(a: DriftSide, b: DriftSide, path: string): FirstDifference['layers'] {
  const layers = ({ graph }: DriftSide) =>
    new Map(
      graph.blocks.find((block) => block.path === path)?.layers.map((one) => [one.path, words(one.layer)]) ??
        [],
    );
  const [left, right] = [layers(a), layers(b)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((name) => ({ path: name, a: left.get(name) ?? null, b: right.get(name) ?? null }))
    .filter((one) => one.a !== one.b);
}

/** A layer in words, without its dropout, which has no effect on a pass. */
function words(layer: Parameters<typeof printLayer>[0]): string {
  return printLayer(layer, ({ changes }) => changes !== 'training');
}
