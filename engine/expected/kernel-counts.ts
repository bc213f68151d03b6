// What kernels of products do for a multiply-accumulate, counted in their own texts: barriers, bytes from memory, bytes of
// workgroup memory written and read. Counted is one round of a workgroup's loop over what is staged, at full tiles: what is
// before and behind the loop, and rows and channels that a tile has too many, are left out.

import type { Bundle } from '../../runtime/bundle.ts';
import { kernelFacts, sourceOf, valuesIn } from './kernel-facts.ts';

export interface KernelCounts {
  /** The kernel's file in the bundle, its source, and what it computes at once: `128x64`, pixels or queries by channels. */
  readonly file: string;
  readonly source: string;
  readonly tile: string;
  readonly dispatches: number;
  /** Barriers for a million multiply-accumulates of a workgroup. */
  readonly barriers: number;
  /** Bytes loaded from memory, bytes of workgroup memory written and read, for a multiply-accumulate. */
  readonly loaded: number;
  readonly written: number;
  readonly read: number;
  /** Bytes of workgroup memory that a workgroup has. */
  readonly shared: number;
}

/** One round of a workgroup. */
interface Round {
  readonly tile: string;
  readonly macs: number;
  readonly barriers: number;
  readonly loaded: number;
  readonly written: number;
  readonly read: number;
}

const COUNTED: Readonly<Record<string, (wgsl: string) => Round>> = {
  conv_gemm: gemmRound,
  conv_matrix: matrixRound,
  attention_matrix: attentionRound,
};

/** The kernels of convolutions and of attention on matrix units, in the order of the bundle. */
export function kernelCounts({ manifest, kernels }: Bundle): readonly KernelCounts[] {
  return manifest.kernels.flatMap(({ file }, index) => {
    const source = sourceOf(file);
    const wgsl = kernels.get(file)!;
    const round = COUNTED[source]?.(wgsl);
    if (round === undefined) return [];
    const { tile, macs, barriers, loaded, written, read } = round;
    return [
      {
        ...{ file, source, tile },
        dispatches: manifest.dispatches.filter(({ kernel }) => kernel === index).length,
        barriers: (barriers / macs) * 1e6,
        ...{ loaded: loaded / macs, written: written / macs, read: read / macs },
        shared: kernelFacts(file, wgsl).shared,
      },
    ];
  });
}

/** DEPTH steps of 16 input channels, as threads of 8 x 8 or 32 x 2 compute them. */
function gemmRound(wgsl: string): Round {
  const value = valuesIn(wgsl);
  const [m, n, depth, columns] = [value('TILE_M'), value('TILE_N'), value('DEPTH'), value('COLUMNS', 8)];
  const [pixels, quads] = [(m * columns) / 64, n / 4 / columns];
  const element = /^alias Staged = vec4h;/m.test(wgsl) ? 2 : 4;
  const stored = (buffer: RegExp) => (buffer.test(wgsl) ? 2 : 4);
  const macs = m * n * 16 * depth;
  return {
    ...{ tile: `${m}x${n}`, macs },
    barriers: barriersIn(wgsl, 'for (var first = slice.first', 'let quad = slice.column'),
    loaded:
      16 * depth * (m * stored(/read> source0: array<vec2u>/) + n * stored(/read> weights: array<vec2u>/)),
    written: 16 * depth * (m + n) * element,
    // of four input channels a thread reads a quad of each pixel and four of each quad of channels
    read: ((pixels + 4 * quads) / (pixels * quads * 16)) * 4 * element * macs,
  };
}

/** A patch of 32 input channels with all taps that it serves. */
function matrixRound(wgsl: string): Round {
  const value = valuesIn(wgsl);
  const [n, blocks, taps] = [value('TILE_N'), value('BLOCKS'), value('TAPS')];
  const [wide, vectors] = [value('WIDE', 2), value('VECTORS', 1)];
  const rows = (blocks * 16 * 4 * 16 * wide) / n;
  const macs = rows * n * 32 * taps;
  const patch = value('PATCH') * 32;
  const own = barriersIn(wgsl, 'for (var stage = slice.first', '// a thread finishes');
  return {
    ...{ tile: `${rows}x${n}`, macs },
    // all but one are of each round of taps, and that one of a patch
    barriers: (own - 1) * Math.ceil(taps / value('DEPTH', 1)) + 1,
    loaded: 2 * (patch + taps * 32 * n),
    written: 2 * vectors * (patch + taps * 32 * n),
    read: ((blocks + wide) / (blocks * wide * 16)) * 2 * vectors * macs,
  };
}

/** 32 keys and their values of 64 channels. */
function attentionRound(wgsl: string): Round {
  const value = valuesIn(wgsl);
  const [queries, vectors] = [value('QUERIES', 64), value('VECTORS', 1)];
  // where the loop over the keys runs twice, products of queries and keys are computed twice
  const passes = wgsl.includes('for (var round = 0u; round < 2u') ? 2 : 1;
  const macs = 2 * queries * 32 * 64;
  const element = 2 * vectors;
  const operands = (rows: number, columns: number, inner: number) =>
    // each subgroup loads its rows once for all columns, and all of the right operand
    element * (4 * rows * inner + 4 * columns * inner);
  const own = barriersIn(
    wgsl,
    'for (var first_key = 0u',
    passes === 2 ? 'halves[lane] =' : 'shares[lane] = total',
  );
  const scaling = barriersIn(wgsl, 'if (scaling', 'let left = load_softmax');
  return {
    ...{ tile: `${queries}x64`, macs },
    // the first of two passes ends behind its scores; scaling is rare and left out, and a uniform load is two barriers
    barriers: passes === 2 ? own + 3 : own - scaling + 2,
    loaded: 2 * 32 * 64 * (passes + 1),
    written: element * (32 * 64 * (passes + 1) + queries * 32) + 4 * queries * 32 * passes,
    read: passes * operands(queries / 4, 32, 64) + operands(queries / 4, 64, 32) + 4 * queries * 32 * 2,
  };
}

/** Barriers between two places of a text, without the functions that they call. */
function barriersIn(wgsl: string, from: string, to: string): number {
  const begin = wgsl.indexOf(from);
  if (begin < 0) return 0;
  return wgsl.slice(begin, wgsl.indexOf(to, begin)).split('workgroupBarrier();').length - 1;
}
