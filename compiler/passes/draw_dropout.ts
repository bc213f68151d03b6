// Dropout in training: what is dropped says a mask, which is drawn from an input `dropout` [B, 4], words of each sample that
// the host writes. A dropout of probability 0 is the identity, and a graph of such ones alone has no such input.

import { DROPOUT_PORT, DROPOUT_WORDS, dropoutFactor } from '../../runtime/bundle.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { copy, rewriteGraph } from './rewrite.ts';

/** The graph with a mask and its application in the place of each dropout; the dropouts are numbered in their order. */
export function draw_dropout(graph: OpGraph): OpGraph {
  let words: number | null = null;
  let dropouts = 0;
  return rewriteGraph(graph, (node, inputs, b) => {
    if (node.op !== 'dropout') return copy(node, inputs, b);
    const [x] = inputs;
    const { p } = node.attrs;
    const block = dropouts++;
    if (p === 0) return x!;
    const [batch, ...size] = node.type.shape;
    const type = { dtype: 'u32', shape: [batch!, DROPOUT_WORDS] } as const;
    words ??= b.add('input', [], { name: DROPOUT_PORT, type }, DROPOUT_PORT);
    const mask = b.add('dropout_mask', [words], { p, block, size }, node.path);
    return b.add('apply_mask', [x!, mask], { factor: dropoutFactor(p) }, node.path);
  });
}
