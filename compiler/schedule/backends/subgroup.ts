// Products by single subgroups of 8 lanes without workgroup memory: what processors that run shaders want, where a subgroup
// is a vector register. On them a storage texture is read at half the cost of a buffer, and a kernel that reads textures is a
// tenth of the code: convolutions, attention and what is between them keep activations in textures. The interface, the
// time path and the few ops that are rarely used keep them in buffers.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { convMicroseconds } from '../choices/cost-model.ts';
import { weightGradientTile } from '../choices/weight-gradient.ts';
import { canUseWinograd } from '../choices/winograd.ts';
import { fuse_activation } from '../fusions/fuse_activation.ts';
import { fuse_mask } from '../fusions/fuse_mask.ts';
import { fuse_norm_gradient } from '../fusions/fuse_norm_gradient.ts';
import { fuse_norm_map } from '../fusions/fuse_norm_map.ts';
import { fuse_norm_pool } from '../fusions/fuse_norm_pool.ts';
import { fuse_norm_winograd } from '../fusions/fuse_norm_winograd.ts';
import { fuse_resampled_residual } from '../fusions/fuse_resampled_residual.ts';
import { fuse_residual } from '../fusions/fuse_residual.ts';
import { fuse_skip_concat } from '../fusions/fuse_skip_concat.ts';
import { fuse_statistics } from '../fusions/fuse_statistics.ts';
import { fuse_time_add } from '../fusions/fuse_time_add.ts';
import { fuse_upsample_direct } from '../fusions/fuse_upsample_direct.ts';
import type { Tile, WinogradTile } from '../schedule.ts';
import { extentOf, nodeOf } from '../values.ts';
import { isLinear } from '../weight-parts.ts';
import type { Backend } from './backend.ts';

/** Tiles of its product: a lane has the sums of four channels of each 32, of 8, 16 or 32 pixels. */
const TILES: readonly Tile[] = [
  { m: 16, n: 64 },
  { m: 32, n: 32 },
  { m: 16, n: 32 },
  { m: 8, n: 32 },
];

export const subgroup: Backend = {
  precisions: ['f32', 'f16'],
  // whoever asks a processor for float16 wants memory: it computes no faster with it
  expands: ['f32'],
  // A lane would repeat a prologue for every tap and tile of channels: the normalised activation is written once, but where
  // Winograd's input transform takes the norm along. A kernel binds four textures: one that reads two sources has none left
  // for a residual, nor one with a residual for a skip convolution.
  fusions: (choose) => [
    fuse_norm_gradient, // while each op of the way is a map of its own
    fuse_time_add,
    fuse_mask, // before norms, which take up masks that no convolution has written
    fuse_norm_map,
    fuse_norm_pool, // after norm and SiLU have become one map
    fuse_skip_concat, // before norms leave their maps: a convolution then reads both sources through its norm
    fuse_residual, // after concats, for what reads two sources takes none
    fuse_resampled_residual, // needs the residual
    fuse_activation, // behind the label embedding, which fuse_residual adds
    fuse_norm_winograd(choose),
    fuse_upsample_direct(choose),
    fuse_statistics,
  ],
  candidates: (graph, group, strict) => {
    const algorithms: readonly (WinogradTile | null)[] = strict ? [null] : [null, 2, 4];
    return algorithms
      .filter((m) => m === null || canUseWinograd(graph, group, m))
      .flatMap((winograd) => TILES.map((tile) => ({ winograd, tile, slices: 1 })));
  },
  weightTile: (graph, group, strict) => (strict ? null : weightGradientTile(graph, group)),
  untuned: { by: 'model', microseconds: convMicroseconds },
  home: (graph, group) => {
    switch (group.kind) {
      case 'conv':
      case 'map':
      case 'norm_gradient':
      case 'norm_sums':
      case 'statistics':
        return 'texture';
      case 'attention': {
        // heads that begin inside a quad are read from a buffer
        const { type, attrs } = nodeOf(graph, group.anchor, 'attention');
        return (type.shape[1]! / attrs.heads) % 4 === 0 ? 'texture' : 'buffer';
      }
      case 'attention_gradient': {
        const { type, attrs } = nodeOf(graph, group.anchor, 'attention_gradient');
        return (type.shape[1]! / (3 * attrs.heads)) % 4 === 0 ? 'texture' : 'buffer';
      }
      case 'avg_pool':
        // one alone is rare, and runs the kernel of GPUs
        return group.prologue.length > 0 ? 'texture' : 'buffer';
      case 'weight_gradient':
        // rows of a linear layer are read where the time path has them
        return isLinear(graph, group) ? 'buffer' : 'texture';
      case 'channel_sum':
        // vectors, and with them slices, stay where they are written
        return group.start === 0 && !isVector(graph, group.sources[0]!) ? 'texture' : 'buffer';
      case 'window': {
        // one that begins inside a quad moves single channels
        const [channel] = nodeOf(graph, group.anchor, 'window').attrs.start;
        return channel! % 4 === 0 && !isVector(graph, group.sources[0]!) ? 'texture' : 'buffer';
      }
      case 'embedding_gradient':
      case 'scale_shift_gradient':
      case 'batch_sum':
      case 'rows':
      case 'dropout_mask':
      case 'mix':
      case 'cross_entropy':
      case 'cross_entropy_gradient':
      case 'top_k':
      case 'mse':
      case 'mse_gradient':
      case 'variational_bound':
      case 'variational_bound_gradient':
      case 'linear':
      case 'position_add':
      case 'log_softmax_gradient':
      case 'gather_channels':
      case 'upsample_linear':
      case 'embedding':
        return 'buffer';
    }
  },
  norms: { by: 'affine' },
  countedTiles: true,
  pricesKernels: true,
};

/** Whether a value has one pixel a sample, as those of the time path. */
function isVector(graph: OpGraph, id: number): boolean {
  return extentOf(graph, id).pixels === 1;
}
