// The gradient of a 3x3 convolution's weight by Winograd's F(m x m, 3 x 3), from the other side: transforms of the input and of
// the cotangent, and the products of all planes over the tiles of some samples, summed up to taps, to which later samples add.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { weightPlanes } from '../../schedule/choices/weight-gradient.ts';
import { planeRow } from '../../schedule/choices/winograd.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { ScheduledWeightGradient, WinogradTile } from '../../schedule/schedule.ts';
import { extentOf, nodeOf, quadsOf } from '../../schedule/values.ts';
import { standing, value } from '../fragment.ts';
import { texelHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { unrolledOuterProducts, unrolledSums } from './products.ts';
import { cotangentTransformOf, inputTransformOf, rowsOfG } from './winograd-transforms.ts';

/** Quads of the cotangent's channels that a workgroup of the product computes, and of the input's: one a lane. */
const ROWS = 4;
const COLUMNS = 8;

export function weightGradientWinograd(
  graph: OpGraph,
  group: ScheduledWeightGradient,
  m: WinogradTile,
): readonly KernelCall[] {
  const { samples: most } = weightPlanes(graph, group, m);
  const { batch } = extentOf(graph, group.cotangent);
  const calls: KernelCall[] = [];
  for (let first = 0; first < batch; first += most) {
    const part = { graph, group, m, first, samples: Math.min(most, batch - first) };
    calls.push(...inputTransforms(part), cotangentTransform(part), products(part));
  }
  return calls;
}

/** The samples of a group that are computed at once. */
interface Part {
  readonly graph: OpGraph;
  readonly group: ScheduledWeightGradient;
  readonly m: WinogradTile;
  readonly first: number;
  readonly samples: number;
}

/**
 * Where the tiles of the planes lie: in a plane, tiles of one sample stand behind those of the sample before. The size is the
 * graph's: a value may have been written in another shape.
 */
function tilesIn({ graph, group, m, first, samples }: Part) {
  const { tiles } = weightPlanes(graph, group, m);
  const { height, width } = extentOf(graph, nodeOf(graph, group.anchor, 'conv_weight_gradient').inputs[1]!);
  return {
    first_sample: first,
    tiles,
    tiles_x: Math.ceil(width / m),
    height,
    width,
    sample_step: tiles,
    plane_row: planeRow(samples * tiles),
  };
}

/** One call a source: a concat is never written. */
function inputTransforms(part: Part): readonly KernelCall[] {
  const { graph, group, m, samples } = part;
  const sizes = tilesIn(part);
  let firstQuad = 0;
  return group.sources.map((source) => {
    const { quads } = extentOf(graph, source);
    const stored = texelHalves(graph, { source });
    const call = callKernel({
      file: 'winograd_input_subgroup',
      consts: { M: m, PATCH: m + 2, TEXTURE_WIDTH },
      ...stored,
      hooks: { ...stored.hooks, transform: inputTransformOf(m) },
      declared: {
        source: standing(graph, source, group.home),
        result: { kind: 'input_planes', value: group.result, home: group.home },
      },
      workgroups: [Math.ceil(sizes.tiles / 8), quads, samples],
      sizes: { ...sizes, quads, all_quads: quadsOf(graph, group.sources), first_quad: firstQuad },
    });
    firstQuad += quads;
    return call;
  });
}

function cotangentTransform(part: Part): KernelCall {
  const { graph, group, m, samples } = part;
  const { quads } = extentOf(graph, group.cotangent);
  const stored = texelHalves(graph, { source: group.cotangent });
  const sizes = tilesIn(part);
  return callKernel({
    file: 'winograd_cotangent_subgroup',
    consts: { M: m, PATCH: m + 2, TEXTURE_WIDTH },
    ...stored,
    hooks: { ...stored.hooks, transform: cotangentTransformOf(m) },
    declared: {
      source: standing(graph, group.cotangent, group.home),
      result: { kind: 'cotangent_planes', value: group.result },
    },
    workgroups: [Math.ceil(sizes.tiles / 8), quads, samples],
    sizes: { ...sizes, quads },
  });
}

function products(part: Part): KernelCall {
  const { graph, group, m, first, samples } = part;
  const g = extentOf(graph, group.cotangent);
  const quads = quadsOf(graph, group.sources);
  const { tiles, plane_row } = tilesIn(part);
  return callKernel({
    file: 'winograd_weight_subgroup',
    consts: { PATCH: m + 2, ROWS, TEXTURE_WIDTH },
    hooks: {
      multiply: unrolledOuterProducts(ROWS),
      row_of_g: rowsOfG(m),
      add_plane: unrolledSums('row', 'sums', ROWS * 4),
      add_row: unrolledSums('taps', 'row', 3 * ROWS * 4),
    },
    declared: {
      cotangent: { kind: 'cotangent_planes', value: group.result },
      input: { kind: 'input_planes', value: group.result, home: group.home },
      result: value(group.result),
    },
    workgroups: [Math.ceil(g.quads / ROWS), Math.ceil(quads / COLUMNS), 1],
    sizes: {
      first_sample: first,
      tiles: samples * tiles,
      plane_row,
      out_quads: g.quads,
      out_channels: g.channels,
      quads,
    },
  });
}
