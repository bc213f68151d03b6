// Products by tiles in workgroup memory: what GPUs want, and what runs wherever WebGPU runs.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { Target } from '../../target.ts';
import { winogradByRule, winogradCandidates } from '../choices/gpu-winograd.ts';
import { gemmDimension, sliceCount } from '../choices/slices.ts';
import { fuse_activation } from '../fusions/fuse_activation.ts';
import { fuse_mask } from '../fusions/fuse_mask.ts';
import { fuse_nearest_upsample } from '../fusions/fuse_nearest_upsample.ts';
import { fuse_norm_gradient } from '../fusions/fuse_norm_gradient.ts';
import { fuse_norm_pool } from '../fusions/fuse_norm_pool.ts';
import { fuse_norm_prologue } from '../fusions/fuse_norm_prologue.ts';
import { fuse_resampled_residual } from '../fusions/fuse_resampled_residual.ts';
import { fuse_residual } from '../fusions/fuse_residual.ts';
import { fuse_skip_concat } from '../fusions/fuse_skip_concat.ts';
import { fuse_skip_conv } from '../fusions/fuse_skip_conv.ts';
import { fuse_statistics } from '../fusions/fuse_statistics.ts';
import { fuse_time_add } from '../fusions/fuse_time_add.ts';
import type { Candidate, ConvGroup, Tile } from '../schedule.ts';
import { extentOf } from '../values.ts';
import type { Backend, Rule } from './backend.ts';

/** Workgroups a product should have at least, so that a GPU of many units is not left idle. */
const ENOUGH_WORKGROUPS = 32;

/** Tiles of its product, largest first; those of 8 channels are for the few of an image. */
const TILES: readonly Tile[] = [
  { m: 64, n: 64 },
  { m: 32, n: 64 },
  { m: 32, n: 32 },
  { m: 16, n: 32 },
  { m: 64, n: 8 },
  { m: 32, n: 8 },
];

export function workgroup({ pace }: Target): Backend & { readonly untuned: Rule } {
  const sliced = (graph: OpGraph, group: ConvGroup, tile: Tile): Candidate => {
    const inner = gemmDimension(graph, group, tile);
    const tiles = tilesOf(graph, group, tile);
    return { winograd: null, tile, slices: sliceCount(graph, group, inner, { tiles, waits: true, pace }) };
  };
  return {
    precisions: ['f32', 'f16'],
    expands: ['f32', 'f16'],
    fusions: (choose) => [
      fuse_norm_gradient, // while each op of the way is a map of its own
      fuse_time_add, // before the residual: it is the first thing added to a convolution's result
      fuse_mask, // before skip convolutions, which leave no buffer for a mask that is loaded
      fuse_residual, // leaves the skip convolution as the operand of an add
      fuse_skip_conv(choose), // needs that add
      fuse_activation, // behind the label embedding, which fuse_residual adds
      fuse_resampled_residual, // needs the residual, too
      fuse_nearest_upsample, // before norms, which then are in front of the upsampling
      fuse_norm_prologue, // the activation between norm and convolution is the largest that need not exist
      fuse_norm_pool, // likewise between norm and pooling
      fuse_skip_concat, // after the readers of a concat have become convolutions
      fuse_statistics, // last: marks the groups that are left
    ],
    candidates: (graph, group, strict) => [
      ...TILES.flatMap((tile) => {
        const one = sliced(graph, group, tile);
        return one.slices === 1 ? [one] : [{ ...one, slices: 1 }, one];
      }),
      ...(strict ? [] : winogradCandidates(graph, group)),
    ],
    weightTile: () => null,
    untuned: {
      by: 'rule',
      choose: (graph, group, plain) =>
        (plain ? null : winogradByRule(graph, group)) ?? sliced(graph, group, largestTile(graph, group)),
    },
    home: () => 'buffer',
    norms: { by: 'reader', mostCombined: 512 },
    countedTiles: false,
    pricesKernels: false,
  };
}

/** The largest tile that still gives enough workgroups, else the smallest. */
function largestTile(graph: OpGraph, group: ConvGroup): Tile {
  const { channels } = extentOf(graph, group.result);
  const served = TILES.filter(({ n }) => (n === 8) === channels <= 8 && n <= Math.max(32, channels));
  return served.find((tile) => tilesOf(graph, group, tile) >= ENOUGH_WORKGROUPS) ?? served.at(-1)!;
}

function tilesOf(graph: OpGraph, { result }: ConvGroup, { m, n }: Tile): number {
  const { pixels, channels } = extentOf(graph, result);
  return Math.ceil(pixels / m) * Math.ceil(channels / n);
}
