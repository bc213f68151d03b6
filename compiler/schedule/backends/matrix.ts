// Products by matrix units, which multiply float16: workgroups as elsewhere, but for the tiles of convolutions. What of a graph
// in float16 stays in float32 is computed by the workgroup kernels.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { MatrixUnits, Target } from '../../target.ts';
import { matrixTile } from '../choices/matrix-tiles.ts';
import type { Candidate, ConvGroup } from '../schedule.ts';
import type { Backend } from './backend.ts';
import { largestTile, workgroup } from './workgroup.ts';

export function matrix(target: Target): Backend {
  const units = unitsOf(target);
  return {
    ...workgroup,
    precisions: ['f16'],
    candidates: (graph, group, strict) =>
      isHalf(graph, group) ? [patch(graph, group, units)] : workgroup.candidates(graph, group, strict),
    untuned: {
      by: 'rule',
      choose: (graph, group) =>
        isHalf(graph, group) ? patch(graph, group, units) : largestTile(graph, group),
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

/** The only candidate: the tile whose patch serves all taps. */
function patch(graph: OpGraph, group: ConvGroup, units: MatrixUnits): Candidate {
  const { width, height, channels } = matrixTile(graph, group, units);
  return { winograd: null, tile: { m: width * height, n: channels } };
}
