import { describe, expect, it } from 'vitest';
import { countMacs, countNodeFlops, countParams } from '../../../compiler/opgraph/cost.ts';
import { parseOpGraph } from '../../../compiler/opgraph/parse.ts';
import { opDef } from '../../../compiler/ops/index.ts';
import { everyOp } from '../../fixtures/every-op.ts';

describe('the cost of an OpGraph', () => {
  const graph = everyOp();

  it('has two operations at least for each multiply-accumulate, and sums over the nodes', () => {
    const sum = { conv: 0, linear: 0, attention: 0 };
    for (const [id, node] of graph.nodes.entries()) {
      const macs = opDef(node.op).macs(
        node.inputs.map((i) => graph.nodes[i]!.type),
        node.attrs,
      );
      const products = macs.conv + macs.linear + macs.attention;
      expect(countNodeFlops(graph, id), node.op).toBeGreaterThanOrEqual(2 * products);
      sum.conv += macs.conv;
      sum.linear += macs.linear;
      sum.attention += macs.attention;
    }
    expect(countMacs(graph)).toEqual(sum);
    expect(Math.min(...Object.values(sum))).toBeGreaterThan(0);
  });

  it('counts parameters once, not what was joined of them', () => {
    expect(countParams(graph)).toBe(56 + 56 + 8 + 8 + 80 + 8 + 8 + 576 + 8 + 768 + 6 + 240 + 6);
  });

  it.each([
    ['silu(%0)', 4 * 48],
    ['add(%0, %0)', 48],
    ['multiply(%0, %0)', 48],
    ['scale(%0) {factor=2}', 48],
    ['activation_gradient(%0, %0) {of="silu"}', 8 * 48],
    ['film(%0, %1)', 3 * 48],
    ['film_gradient(%0, %1)', 2 * 48],
    ['group_norm_gradient(%0, %3, %0) {groups=3, eps=0.1}', 14 * 48],
    ['channel_add(%0, %2)', 48],
    ['dropout(%0) {p=0.1}', 0],
    ['concat(%0, %0)', 0],
    ['slice(%0) {start=0, end=1}', 0],
    ['avg_pool(%0) {kernel=[2, 2]}', 48],
    ['upsample_nearest(%0) {factor=[2, 2]}', 0],
    ['upsample_linear(%0) {size=[8, 8]}', 9 * 2 * 3 * 64],
    ['group_norm(%0, %3, %3) {groups=3, eps=0.1}', 8 * 48],
    ['conv(%0, %4, %5) {stride=[1, 1], padding=[0, 0]}', 2 * 2 * 8 * 7],
  ])('counts the operations of %s', (expression, flops) => {
    const text = `
      %0 = input() {name="x", type=f32[2,3,4,2]}
      %1 = param() {name="film", shape=[2, 6]}
      %2 = param() {name="embedding", shape=[2, 3]}
      %3 = param() {name="affine", shape=[3]}
      %4 = param() {name="weight", shape=[2, 3, 1, 1]}
      %5 = param() {name="bias", shape=[2]}
      %6 = ${expression}
      return output=%6
    `;
    expect(countNodeFlops(parseOpGraph(text), 6)).toBe(flops);
  });
});
