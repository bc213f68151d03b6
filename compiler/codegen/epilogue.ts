// The code of epilogues: what a group does to a result before it is stored, a line an op.

import { invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { isActivation } from '../ops/activations.ts';
import { fusedName } from '../schedule/print.ts';
import type { FusedOp, Home } from '../schedule/schedule.ts';
import { isHalf, nodeOf } from '../schedule/values.ts';
import { ACTIVATION_GRADIENT_LINES, activationLines } from './activations.ts';
import { type Fragment, joinFragments, readBuffer, value } from './fragment.ts';
import { embedFragment, readValue } from './fused-ops.ts';
import { maskLine, takeMask } from './masks.ts';
import { resampledRead } from './resampled-read.ts';
import { floatLiteral } from './wgsl/literals.ts';
import { readQuad, readTexel } from './wgsl/packing.ts';

/** What an epilogue is applied to, and where its operands stand. */
export interface EpilogueOptions {
  /** Kernels that compute single channels read everything as single floats. */
  readonly element?: 'quad' | 'channel';
  /** Where residuals stand. */
  readonly home?: Home;
  /** What is known as `sum` before the first op. */
  readonly sum?: string;
  /** The pixels of a sample as an expression. */
  readonly pixels?: string;
}

/** The epilogue of a quad or of a single channel: `sum` becomes `v`. The place of the result is `at`. */
export function epilogueOf(
  graph: OpGraph,
  ops: readonly FusedOp[],
  { element = 'quad', home = 'buffer', sum = 'sum', pixels = 'sizes.pixels' }: EpilogueOptions = {},
): Fragment {
  if (ops.length === 0 && sum === 'sum') return joinFragments();
  const type = element === 'quad' ? 'array<vec4f>' : 'array<f32>';
  const per = element === 'quad' ? '' : ' * 4u';
  const lines: string[] = [];
  const parts: Fragment[] = [];
  for (const op of ops) {
    const name = graph.nodes[op.node]!.op;
    if (isActivation(name)) {
      lines.push(...activationLines(name));
      continue;
    }
    switch (name) {
      case 'channel_add':
      case 'film_gradient': {
        parts.push(embedFragment(graph, op, type));
        const embed = `embed[(sample * sizes.embed_quads + sizes.embed_at)${per} + ${element}]`;
        lines.push(
          name === 'channel_add' ? `v += ${embed}; // channel_add` : `v *= 1.0 + ${embed}; // film_gradient`,
        );
        break;
      }
      case 'apply_mask': {
        invariant(element === 'quad', `a mask of single channels (%${op.node})`);
        const row = '(sample * sizes.out_quads + quad)';
        const inBuffer = `${row} * (${pixels}) + at / sizes.out_quads - sample * (${pixels})`;
        const take = takeMask(op, home === 'texture' ? 'at' : inBuffer);
        parts.push(take.fragment);
        lines.push(take.line, maskLine(graph, op));
        break;
      }
      case 'scale':
        lines.push(`v *= ${floatLiteral(nodeOf(graph, op.node, 'scale').attrs.factor)}; // scale`);
        break;
      case 'rescale': {
        const { factor, offset } = nodeOf(graph, op.node, 'rescale').attrs;
        lines.push(`v = v * ${floatLiteral(factor)} + ${floatLiteral(offset)}; // rescale`);
        break;
      }
      case 'activation_gradient': // the slope, multiplied with the cotangent
      case 'multiply':
      case 'add': {
        if (name === 'activation_gradient')
          lines.push(...ACTIVATION_GRADIENT_LINES[nodeOf(graph, op.node, name).attrs.of]);
        const residual = `residual${parts.filter((p) => p.extra[0]?.name.startsWith('residual')).length}`;
        const id = op.operand!.value;
        const half = isHalf(graph, id);
        invariant(!half || element === 'quad', `a residual of float16 by channels (%${op.node})`);
        const extra =
          home === 'texture' || element === 'quad'
            ? readValue(graph, residual, id, home)
            : readBuffer(residual, value(id), type);
        const load = (at: string) =>
          home === 'texture' ? readTexel(residual, at, half) : readQuad(residual, at, half);
        const resampled = resampledRead(graph, op, residual, { home, pixels, load });
        parts.push({ hooks: {}, functions: resampled?.lines ?? [], extra: [extra], sizes: {} });
        const sign = name === 'add' ? '+' : '*';
        lines.push(`v ${sign}= ${resampled?.call ?? load('at')}; // ${fusedName(graph, op)}`);
        break;
      }
      default:
        invariant(false, `no code for ${name} as an epilogue`);
    }
  }
  const hooks = { epilogue: [`var v = ${sum};`, ...lines, 'return v;'] };
  return joinFragments({ hooks, functions: [], extra: [], sizes: {} }, ...parts);
}
