// The weights and the bias of a convolution that is computed by steps of its inner dimension. Where a skip convolution is
// summed into it, the steps of the skip come behind the others, and its bias is added to the convolution's.

import type { StoredType } from '../../../runtime/bundle.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { ScheduledConv, Tile } from '../../schedule/schedule.ts';
import type { WeightsBuilder } from '../weights.ts';
import type { ConvGeometry } from './conv-geometry.ts';

export interface PackedConv {
  /** Steps of the convolution for each tap, and of the skip convolution. */
  readonly chunks: number;
  readonly skipChunks: number;
  /** Where the bias begins, in floats. */
  readonly biasAt: number;
}

/** Packs steps of `chunk` input channels for columns of `tile.n` output channels, as they are `stored`. */
export function packConv(
  graph: OpGraph,
  group: ScheduledConv,
  { node, out, taps, quads, skipQuads }: ConvGeometry,
  { tile, chunk, stored }: { readonly tile: Tile; readonly chunk: number; readonly stored: StoredType },
  weights: WeightsBuilder,
): PackedConv {
  const chunks = Math.ceil((quads * 4) / chunk);
  const skipChunks = Math.ceil((skipQuads * 4) / chunk);
  const steps = chunks * taps + skipChunks;
  const offset = weights.reserveProduct(out.channels, steps, chunk, tile, stored);
  const place = { layout: 'rows', tile, chunk, steps, offset } as const;
  weights.product(node.inputs[1]!, { ...place, firstStep: 0, transposed: node.op === 'conv_transpose' });
  const biasAt = weights.bias(node.inputs[2], out.channels);
  if (group.skip) {
    const [, skipWeight, skipBias] = graph.nodes[group.skip.conv]!.inputs;
    weights.product(skipWeight!, { ...place, firstStep: chunks * taps, transposed: false });
    if (skipBias !== undefined) weights.accumulate(skipBias, biasAt);
  }
  return { chunks, skipChunks, biasAt };
}
