// Products by the matrix units of subgroups of 32 lanes, which multiply float16: workgroups as elsewhere, but for the tiles
// of convolutions. What of a graph in float16 stays in float32 is computed by the workgroup kernels.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { matrixTile } from '../choices/matrix-tiles.ts';
import type { Candidate, ConvGroup } from '../schedule.ts';
import type { Backend } from './backend.ts';
import { largestTile, workgroup } from './workgroup.ts';

export const matrix: Backend = {
  ...workgroup,
  precisions: ['f16'],
  candidates: (graph, group, strict) =>
    isHalf(graph, group) ? [patch(graph, group)] : workgroup.candidates(graph, group, strict),
  untuned: {
    by: 'rule',
    choose: (graph, group) => (isHalf(graph, group) ? patch(graph, group) : largestTile(graph, group)),
  },
};

function isHalf(graph: OpGraph, { result }: ConvGroup): boolean {
  return graph.nodes[result]!.type.dtype === 'f16';
}

/** The only candidate: the tile whose patch serves all taps. */
function patch(graph: OpGraph, group: ConvGroup): Candidate {
  const { width, height, channels } = matrixTile(graph, group);
  return { winograd: null, tile: { m: width * height, n: channels } };
}
