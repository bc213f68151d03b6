// Gradients of products by what is multiplied with the weights: the same weights, the other way round.

import { paddingOf } from '../../ops/conv.ts';
import { type OpRule, WEIGHTS } from './rule.ts';

/**
 * The transposed convolution, as long as the input was: a stride may leave positions over at its end, and padding there
 * alone asks for fewer of them.
 */
export const conv: OpRule<'conv'> = [
  (site) => {
    const { stride } = site.node.attrs;
    const { begin: padding } = paddingOf(site.node.attrs);
    const [x, weight] = site.node.inputs;
    const [, , ...from] = site.typeOf(x!).shape;
    const [, , ...to] = site.node.type.shape;
    const [, , ...kernel] = site.typeOf(weight!).shape;
    const output_padding = from.map((n, d) => n + 2 * padding[d]! - kernel[d]! - (to[d]! - 1) * stride[d]!);
    return site.add('conv_transpose', [site.g, weight!], { stride, padding, output_padding });
  },
  WEIGHTS,
];

export const conv_transpose: OpRule<'conv_transpose'> = [
  (site) => {
    const { stride, padding } = site.node.attrs;
    return site.add('conv', [site.g, site.node.inputs[1]!], { stride, padding });
  },
  WEIGHTS,
];

/** Wᵀg, written as a transposed convolution of one position. */
export const linear: OpRule<'linear'> = [
  (site) => {
    const weight = site.node.inputs[1]!;
    const asActivation = (id: number) => site.add('reshape', [id], { shape: [...site.typeOf(id).shape, 1] });
    const product = site.add('conv_transpose', [asActivation(site.g), asActivation(weight)], {
      stride: [1],
      padding: [0],
      output_padding: [0],
    });
    return site.add('reshape', [product], { shape: site.typeOf(product).shape.slice(0, 2) });
  },
  WEIGHTS,
];
