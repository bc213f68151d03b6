// Gradients of products: by what is multiplied with the weights by the same weights, the other way round; by the weights by
// what was multiplied with them.

import { paddingOf } from '../../ops/conv.ts';
import type { OpAttrs, OpName } from '../../ops/op.ts';
import { type OpRule, ofBias, type Site } from './rule.ts';

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
    return transposed(site, site.g, { stride, padding, output_padding });
  },
  (site) => ofWeight(site, site.operand(0), site.g),
  ofBias,
];

export const conv_transpose: OpRule<'conv_transpose'> = [
  (site) => {
    const { stride, padding } = site.node.attrs;
    return site.add('conv', [site.g, site.node.inputs[1]!], { stride, padding });
  },
  (site) => ofWeight(site, site.g, site.operand(0)),
  ofBias,
];

/** The gradient by a convolution's weight: of a transposed one with its operand and its cotangent exchanged. */
function ofWeight(site: Site<'conv'> | Site<'conv_transpose'>, x: number, g: number): number {
  const { stride } = site.node.attrs;
  const { begin: padding } = paddingOf(site.node.attrs);
  const weight = site.node.inputs[1]!;
  const [, , ...kernel] = site.typeOf(weight).shape;
  return site.add('conv_weight_gradient', [x, g], { stride, padding, kernel });
}

/**
 * g by the transposed weights of a product. Where these are joined along their outputs, each part has its channels of g: joined
 * inputs have no place in packed weights.
 */
function transposed(
  site: Site<'conv'> | Site<'linear'>,
  g: number,
  attrs: OpAttrs['conv_transpose'],
): number {
  const rank = attrs.stride.length + 2;
  const [, , ...space] = site.typeOf(g).shape;
  const parts = site.joined(1).map((weight) => {
    const { shape } = site.typeOf(weight);
    return shape.length === rank ? weight : onePosition(site, weight);
  });
  let channel = 0;
  const summands = parts.map((weight) => {
    const [channels] = site.typeOf(weight).shape;
    const window = { start: [channel, ...space.map(() => 0)], size: [channels!, ...space] };
    channel += channels!;
    const mine = parts.length === 1 ? g : site.add('window', [g], window);
    return site.add('conv_transpose', [mine, weight], attrs);
  });
  return summands.reduce((sum, summand) => site.add('add', [sum, summand], {}));
}

/** Wᵀg and g xᵀ, written as convolutions of one position. */
export const linear: OpRule<'linear'> = [
  (site) => {
    const attrs = { stride: [1], padding: [0], output_padding: [0] };
    const product = transposed(site, onePosition(site, site.g), attrs);
    return withoutPosition(site, product);
  },
  (site) => {
    const product = site.add(
      'conv_weight_gradient',
      [onePosition(site, site.operand(0)), onePosition(site, site.g)],
      { stride: [1], padding: [0], kernel: [1] },
    );
    return withoutPosition(site, product);
  },
  ofBias,
];

function onePosition<N extends OpName>(site: Site<N>, id: number): number {
  return site.add('reshape', [id], { shape: [...site.typeOf(id).shape, 1] });
}

function withoutPosition<N extends OpName>(site: Site<N>, id: number): number {
  return site.add('reshape', [id], { shape: site.typeOf(id).shape.slice(0, 2) });
}
