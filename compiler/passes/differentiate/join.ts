// Gradients of ops that only move elements: the cotangent is moved back.

import type { Shape } from '../../ops/op.ts';
import type { OpRule, Site } from './rule.ts';

/** Each source of a concat gets its channels. */
export const concat: OpRule<'concat'> = [
  (site) => channelsFrom(site, site.node.inputs[0]!, 0),
  (site) => channelsFrom(site, site.node.inputs[1]!, site.typeOf(site.node.inputs[0]!).shape[1]!),
];

function channelsFrom(site: Site<'concat'>, source: number, channel: number): number {
  const size = site.typeOf(source).shape.slice(1);
  return site.add('window', [site.g], { start: size.map((_, d) => (d === 0 ? channel : 0)), size });
}

/** Each parameter gets its rows. */
export const param_concat: OpRule<'param_concat'> = [
  (site) => {
    const rows = (operand: number) => site.typeOf(operand).shape[0]!;
    const start = site.node.inputs.slice(0, site.at).reduce((sum, operand) => sum + rows(operand), 0);
    return site.add('rows', [site.g], { start, end: start + rows(site.node.inputs[site.at]!) });
  },
];

/** The channels go back to their places; the others have no gradient. */
export const slice: OpRule<'slice'> = [
  (site) => {
    const { start } = site.node.attrs;
    const size = operandSize(site);
    return site.add('window', [site.g], { start: size.map((_, d) => (d === 0 ? 0 - start : 0)), size });
  },
];

/** A window is its own adjoint, seen from the other side. */
export const window: OpRule<'window'> = [
  (site) => {
    const start = site.node.attrs.start.map((at) => 0 - at);
    return site.add('window', [site.g], { start, size: operandSize(site) });
  },
];

export const reshape: OpRule<'reshape'> = [
  (site) => site.add('reshape', [site.g], { shape: site.typeOf(site.node.inputs[0]!).shape }),
];

/** Channels and space of the operand. */
function operandSize(site: Site<'slice'> | Site<'window'>): Shape {
  return site.typeOf(site.node.inputs[0]!).shape.slice(1);
}
