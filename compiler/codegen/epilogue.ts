// The code of epilogues: what a group does to a result before it is stored, a line an op.

import { invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import type { FusedOp } from '../schedule/schedule.ts';
import { embedFragment, type Fragment, joinFragments, readBuffer, value } from './fused-ops.ts';

/**
 * The epilogue of a quad or of a single channel: `sum` becomes `v`. The place of the result in its buffer is `at`.
 * Kernels that compute single channels read everything as single floats.
 */
export function epilogueOf(
  graph: OpGraph,
  ops: readonly FusedOp[],
  element: 'quad' | 'channel',
  sum = 'sum',
): Fragment {
  if (ops.length === 0 && sum === 'sum') return joinFragments();
  const type = element === 'quad' ? 'array<vec4f>' : 'array<f32>';
  const per = element === 'quad' ? '' : ' * 4u';
  const lines: string[] = [];
  const parts: Fragment[] = [];
  for (const op of ops) {
    const name = graph.nodes[op.node]!.op;
    switch (name) {
      case 'silu':
        lines.push('v = v / (1.0 + exp(-v)); // silu');
        break;
      case 'channel_add':
        parts.push(embedFragment(graph, op, type));
        lines.push(
          `v += embed[(sample * sizes.embed_quads + sizes.embed_at)${per} + ${element}]; // channel_add`,
        );
        break;
      case 'add': {
        const residual = `residual${parts.filter((p) => p.extra[0]?.name.startsWith('residual')).length}`;
        const extra = [readBuffer(residual, value(op.operand!.value), type)];
        parts.push({ hooks: {}, functions: [], extra, sizes: {} });
        lines.push(`v += ${residual}[at]; // add`);
        break;
      }
      default:
        invariant(false, `no code for ${name} as an epilogue`);
    }
  }
  const hooks = { epilogue: [`var v = ${sum};`, ...lines, 'return v;'] };
  return joinFragments({ hooks, functions: [], extra: [], sizes: {} }, ...parts);
}
