// The code that applies a dropout's mask to a quad, in prologues as it is loaded and in epilogues before it is stored.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { FusedOp } from '../schedule/schedule.ts';
import { nodeOf } from '../schedule/values.ts';
import { type Fragment, fragmentOf, readBuffer, value } from './fragment.ts';
import { floatLiteral } from './wgsl/literals.ts';

/** How a group comes to know which channels of a quad are kept. */
export interface TakenMask {
  /** The line by which the private variable `kept` becomes the mask of the quad. */
  readonly line: string;
  /** The mask's buffer, and what reads it. */
  readonly fragment: Fragment;
}

/** The mask of an apply_mask; `at` is an expression for the quad's number, [sample][quad][pixel]. */
export function takeMask({ operand }: FusedOp, at: string): TakenMask {
  const mask = readBuffer('mask', value(operand!.value), 'array<u32>');
  return {
    line: `kept = kept_channels(${at});`,
    fragment: { ...fragmentOf('kept_channels'), extra: [mask] },
  };
}

/** The line of an apply_mask, which replaces `v`, a vec4f, by what is kept of it. */
export function maskLine(graph: OpGraph, { node }: FusedOp): string {
  const { factor } = nodeOf(graph, node, 'apply_mask').attrs;
  return `v = select(vec4f(), v * ${floatLiteral(factor)}, kept); // apply_mask`;
}
