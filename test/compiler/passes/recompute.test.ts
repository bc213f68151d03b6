// Blocks that the backward pass computes again, text in and text out; and that the gradients are those of a graph that keeps all.

import { expect, test } from 'vitest';
import { blocksOf } from '../../../compiler/graph/graph.ts';
import { lowerGraph } from '../../../compiler/graph/lower.ts';
import { parseOpGraph } from '../../../compiler/opgraph/parse.ts';
import { printOpGraph } from '../../../compiler/opgraph/print.ts';
import { verifyOpGraph } from '../../../compiler/opgraph/verify.ts';
import { blockOf } from '../../../compiler/passes/differentiate/blocks.ts';
import { differentiate } from '../../../compiler/passes/differentiate/differentiate.ts';
import { eliminate_dead } from '../../../compiler/passes/eliminate_dead.ts';
import { runPasses, trainingPasses } from '../../../compiler/passes/index.ts';
import { training_loss } from '../../../compiler/passes/training_loss.ts';
import { referenceOf } from '../../fixtures/model-values.ts';
import { goldenTraining } from '../../training-cases.ts';

/** Two convolutions with an activation function between them, as a block, and one more behind it. */
const CHAIN = `
%0 = input() {name="x", type=f32[1,4,2,2]} : f32[1,4,2,2]  # x
%1 = param() {name="first.weight", shape=[4, 4, 1, 1]} : f32[4,4,1,1]  # block.0.first
%2 = param() {name="first.bias", shape=[4]} : f32[4]  # block.0.first
%3 = conv(%0, %1, %2) {stride=[1, 1], padding=[0, 0]} : f32[1,4,2,2]  # block.0.first
%4 = silu(%3) : f32[1,4,2,2]  # block.0.silu
%5 = param() {name="second.weight", shape=[4, 4, 1, 1]} : f32[4,4,1,1]  # block.0.second
%6 = param() {name="second.bias", shape=[4]} : f32[4]  # block.0.second
%7 = conv(%4, %5, %6) {stride=[1, 1], padding=[0, 0]} : f32[1,4,2,2]  # block.0.second
%8 = add(%0, %7) : f32[1,4,2,2]  # block.0
%9 = param() {name="last.weight", shape=[4, 4, 1, 1]} : f32[4,4,1,1]  # last
%10 = param() {name="last.bias", shape=[4]} : f32[4]  # last
%11 = conv(%8, %9, %10) {stride=[1, 1], padding=[0, 0]} : f32[1,4,2,2]  # last
return output=%11
`;

function gradientOps(recomputed: readonly string[]): string {
  const graph = parseOpGraph(CHAIN.trimStart());
  const by = [1, 5].map((value) => ({ name: `gradient.${value}`, value }));
  const differentiated = differentiate(graph, {
    ...{ output: 11, cotangent: 11, by },
    recomputed: new Set(recomputed),
  });
  verifyOpGraph(differentiated);
  return printOpGraph(eliminate_dead(differentiated));
}

test('what a block wrote is computed again from its input, just before it is read', () => {
  const kept = gradientOps([]);
  expect(kept).not.toContain('.recomputed');
  expect(gradientOps(['elsewhere'])).toBe(kept);
  expect(gradientOps(['block.0'])).toMatchInlineSnapshot(`
    "%0 = input() {name="x", type=f32[1,4,2,2]} : f32[1,4,2,2]  # x
    %1 = param() {name="first.weight", shape=[4, 4, 1, 1]} : f32[4,4,1,1]  # block.0.first
    %2 = param() {name="first.bias", shape=[4]} : f32[4]  # block.0.first
    %3 = conv(%0, %1, %2) {stride=[1, 1], padding=[0, 0]} : f32[1,4,2,2]  # block.0.first
    %4 = silu(%3) : f32[1,4,2,2]  # block.0.silu
    %5 = param() {name="second.weight", shape=[4, 4, 1, 1]} : f32[4,4,1,1]  # block.0.second
    %6 = param() {name="second.bias", shape=[4]} : f32[4]  # block.0.second
    %7 = conv(%4, %5, %6) {stride=[1, 1], padding=[0, 0]} : f32[1,4,2,2]  # block.0.second
    %8 = add(%0, %7) : f32[1,4,2,2]  # block.0
    %9 = param() {name="last.weight", shape=[4, 4, 1, 1]} : f32[4,4,1,1]  # last
    %10 = param() {name="last.bias", shape=[4]} : f32[4]  # last
    %11 = conv(%8, %9, %10) {stride=[1, 1], padding=[0, 0]} : f32[1,4,2,2]  # last
    %12 = conv_transpose(%11, %9) {stride=[1, 1], padding=[0, 0], output_padding=[0, 0]} : f32[1,4,2,2]  # last.gradient
    %13 = conv_transpose(%12, %5) {stride=[1, 1], padding=[0, 0], output_padding=[0, 0]} : f32[1,4,2,2]  # block.0.second.gradient
    %14 = conv(%0, %1, %2) {stride=[1, 1], padding=[0, 0]} : f32[1,4,2,2]  # block.0.first.recomputed
    %15 = silu(%14) : f32[1,4,2,2]  # block.0.silu.gradient
    %16 = conv_weight_gradient(%15, %12) {stride=[1, 1], padding=[0, 0], kernel=[1, 1]} : f32[4,4,1,1]  # block.0.second.gradient
    %17 = activation_gradient(%14, %13) {of="silu"} : f32[1,4,2,2]  # block.0.silu.gradient
    %18 = conv_weight_gradient(%0, %17) {stride=[1, 1], padding=[0, 0], kernel=[1, 1]} : f32[4,4,1,1]  # block.0.first.gradient
    return output=%11, gradient.1=%18, gradient.5=%16
    "
  `);
});

test('an op lies in the block that its path begins with', () => {
  const blocks = new Set(['input_blocks.1.0']);
  expect(blockOf('input_blocks.1.0.in_layers.2', blocks)).toBe('input_blocks.1.0');
  expect(blockOf('input_blocks.1.0', blocks)).toBe('input_blocks.1.0');
  expect(blockOf('input_blocks.1', blocks)).toBeNull();
  expect(blockOf('input_blocks.1.01.in_layers.2', blocks)).toBeNull();
});

test.each(['kl', 'signal-1d'])('%s: the same numbers', (name) => {
  const { graph, batch, seed, inputs } = goldenTraining(name);
  const compute = (recomputed: readonly string[]) => {
    const lowered = lowerGraph(graph, { batch, taps: false, precision: 'f32' });
    const ops = runPasses(training_loss(lowered, graph), trainingPasses({ dropout: false, recomputed }));
    return { ops, values: referenceOf(ops, inputs, seed) };
  };
  const [kept, again] = [compute([]), compute(blocksOf(graph))];
  expect(again.ops.nodes.length).toBeGreaterThan(kept.ops.nodes.length);
  expect([...again.values.keys()]).toEqual([...kept.values.keys()]);
  for (const [key, { data }] of again.values) expect(data, key).toEqual(kept.values.get(key)!.data);
});
