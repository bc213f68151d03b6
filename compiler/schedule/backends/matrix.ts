// Products by matrix units, which multiply float16: workgroups as elsewhere, but for the tiles of convolutions. What of a graph
// in float16 stays in float32 is computed by the workgroup kernels.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { MatrixUnits, Target } from '../../target.ts';
import { matrixTile, NARROWEST } from '../choices/matrix-tiles.ts';
import { matrixDimension, sliceCount } from '../choices/slices.ts';
import type { Candidate, ConvGroup } from '../schedule.ts';
import { extentOf } from '../values.ts';
import type { Backend } from './backend.ts';
import { workgroup } from './workgroup.ts';

export function matrix(target: Target): Backend {
  const floats = workgroup(target);
  return {
    ...floats,
    precisions: ['f16'],
    expands: ['f16'],
    candidates: (graph, group, strict) => {
      if (!isHalf(graph, group)) return floats.candidates(graph, group, strict);
      const sliced = patch(graph, group, target);
      return sliced.slices === 1 ? [sliced] : [{ ...sliced, slices: 1 }, sliced];
    },
    untuned: {
      by: 'rule',
      choose: (graph, group, plain) =>
        isHalf(graph, group) ? patch(graph, group, target) : floats.untuned.choose(graph, group, plain),
    },
  };
}

/** The matrix units of a target whose products are theirs. */
export function unitsOf({ name, matrices }: Target): MatrixUnits {
  invariant(matrices, `${name} has no matrix units`);
  return matrices;
}

function isHalf(graph: OpGraph, { result }: ConvGroup): boolean {
  return graph.nodes[result]!.type.dtype === 'f16';
}

/** The only tile, whose patch serves all taps, in as many slices as pay. */
function patch(graph: OpGraph, group: ConvGroup, target: Target): Candidate {
  const { width, height, grid, channels, shared } = matrixTile(graph, group, unitsOf(target));
  const places = Math.ceil(grid.width / width) * Math.ceil(grid.height / height);
  // of the narrowest tile, which a sample has where it is alone
  const tiles = places * Math.ceil(extentOf(graph, group.result).channels / NARROWEST);
  const inner = matrixDimension(graph, group, shared);
  const slices = sliceCount(graph, group, inner, { tiles, waits: false, pace: target.pace });
  return { winograd: null, tile: { m: width * height, n: channels }, slices };
}
