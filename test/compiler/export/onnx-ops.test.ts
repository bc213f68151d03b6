// Each op's spelling in ONNX against its reference, on onnxruntime.

import { describe, expect, it } from 'vitest';
import type { OpGraph } from '../../../compiler/opgraph/opgraph.ts';
import { parseOpGraph } from '../../../compiler/opgraph/parse.ts';
import { type ParamReader, type RefInputs, runReference } from '../../../compiler/opgraph/reference.ts';
import { everyForwardOp } from '../../fixtures/every-op.ts';
import { META, modelFile, pickImages, runModel, runOnnx } from '../../fixtures/onnx-session.ts';
import { noise32, relativeL2, tensor } from '../../fixtures/values.ts';

const params: ParamReader = (name, shape) => Float32Array.from(noise32(shape, name.length).data);

/** The first value that is float16; those behind it may be rounded. */
function firstHalf({ nodes }: OpGraph): number {
  const first = nodes.findIndex((node) => node.type.dtype === 'f16');
  return first < 0 ? nodes.length : first;
}

/** Every computed value as an output of its own. */
function withAllOutputs(graph: OpGraph): OpGraph {
  const outputs = graph.nodes.flatMap(({ op }, value) =>
    op === 'input' || op === 'param' ? [] : [{ name: `v${value}.${op}`, value }],
  );
  return { ...graph, outputs };
}

/** Relative errors of onnxruntime by output. */
async function errors(graph: OpGraph, inputs: RefInputs): Promise<Map<string, number>> {
  const expected = runReference(graph, params, inputs);
  const actual = await runOnnx(graph, params, inputs);
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, { shape }] of expected) expect(actual.get(name)!.shape, name).toEqual(shape);
  return new Map([...expected].map(([name, { data }]) => [name, relativeL2(actual.get(name)!.data, data)]));
}

/** A model of any batch gives each image what it gives to that image in the batch that the graph was lowered for. */
async function takesAnyBatch(graph: OpGraph, inputs: RefInputs): Promise<void> {
  const last = graph.nodes.find(({ op }) => op === 'input')!.type.shape[0]! - 1;
  const model = modelFile(graph, params, { ...META, anyBatch: true });
  const fixed = await runOnnx(graph, params, inputs);
  for (const images of [[last], [last, 0, 0, last, 0]]) {
    const found = await runModel(model, pickImages(inputs, images));
    for (const { name, value } of graph.outputs) {
      const all = { [name]: fixed.get(name)! };
      const { shape, data } = dependsOnInputs(graph, value) ? pickImages(all, images)[name]! : all[name]!;
      expect(found.get(name)!.shape, name).toEqual(shape);
      expect(relativeL2(found.get(name)!.data, data), name).toBeLessThan(1e-6);
    }
  }
}

function dependsOnInputs(graph: OpGraph, value: number): boolean {
  const { op, inputs } = graph.nodes[value]!;
  return op === 'input' || inputs.some((one) => dependsOnInputs(graph, one));
}

describe('the table of ONNX operators', () => {
  it('computes every op as its reference does', async () => {
    const inputs = {
      x: noise32([2, 4, 6, 8], 1),
      timesteps: tensor([2], [3999, 12.5]),
      y: tensor([2], [4, 0]),
      low_res: noise32([2, 4, 3, 5], 2),
    };
    const graph = withAllOutputs(everyForwardOp());
    await takesAnyBatch(
      { ...graph, outputs: graph.outputs.filter(({ value }) => value < firstHalf(graph)) },
      inputs,
    );
    const found = await errors(graph, inputs);
    const isRounded = (name: string) => {
      return graph.outputs.find((o) => o.name === name)!.value >= firstHalf(graph);
    };
    for (const [name, error] of found) {
      // Behind the rounding to float16 one value in a thousand may fall to the other side.
      expect(error, name).toBeLessThan(isRounded(name) ? 1e-4 : 5e-7);
    }
  });

  const timesteps = tensor([1], [0]);
  it.each([
    [
      'conv in 1D, strided',
      noise32([2, 3, 9], 1),
      `%0 = input() {name="x", type=f32[2,3,9]}
       %1 = param() {name="w", shape=[4, 3, 3]}
       %2 = param() {name="bias", shape=[4]}
       %3 = conv(%0, %1, %2) {stride=[2], padding=[1]}`,
    ],
    [
      'conv padded behind alone',
      noise32([2, 3, 6, 4], 1),
      `%0 = input() {name="x", type=f32[2,3,6,4]}
       %1 = param() {name="w", shape=[4, 3, 3, 3]}
       %2 = param() {name="bias", shape=[4]}
       %3 = conv(%0, %1, %2) {stride=[2, 2], padding=[0, 0, 1, 1]}`,
    ],
    [
      'conv in 3D',
      noise32([1, 2, 3, 5, 6], 1),
      `%0 = input() {name="x", type=f32[1,2,3,5,6]}
       %1 = param() {name="w", shape=[4, 2, 3, 3, 3]}
       %2 = param() {name="bias", shape=[4]}
       %3 = conv(%0, %1, %2) {stride=[1, 2, 2], padding=[1, 1, 1]}`,
    ],
    [
      'conv_transpose in 1D',
      noise32([2, 3, 5], 1),
      `%0 = input() {name="x", type=f32[2,3,5]}
       %1 = param() {name="w", shape=[3, 4, 4]}
       %2 = param() {name="bias", shape=[4]}
       %3 = conv_transpose(%0, %1, %2) {stride=[2], padding=[1], output_padding=[0]}`,
    ],
    [
      'conv_transpose in 3D, depth kept',
      noise32([1, 3, 2, 3, 4], 1),
      `%0 = input() {name="x", type=f32[1,3,2,3,4]}
       %1 = param() {name="w", shape=[3, 4, 3, 4, 4]}
       %2 = param() {name="bias", shape=[4]}
       %3 = conv_transpose(%0, %1, %2) {stride=[1, 2, 2], padding=[1, 1, 1], output_padding=[0, 0, 0]}`,
    ],
    [
      'avg_pool in 1D, odd',
      noise32([2, 3, 7], 1),
      `%0 = input() {name="x", type=f32[2,3,7]}
       %1 = avg_pool(%0) {kernel=[2]}`,
    ],
    [
      'avg_pool in 3D, depth kept',
      noise32([1, 3, 3, 5, 4], 1),
      `%0 = input() {name="x", type=f32[1,3,3,5,4]}
       %1 = avg_pool(%0) {kernel=[1, 2, 2]}`,
    ],
    [
      'upsample_nearest in 1D',
      noise32([2, 3, 5], 1),
      `%0 = input() {name="x", type=f32[2,3,5]}
       %1 = upsample_nearest(%0) {factor=[2]}`,
    ],
    [
      'upsample_nearest in 3D, depth kept',
      noise32([1, 3, 3, 2, 4], 1),
      `%0 = input() {name="x", type=f32[1,3,3,2,4]}
       %1 = upsample_nearest(%0) {factor=[1, 2, 2]}`,
    ],
    [
      'upsample_linear in 1D',
      noise32([2, 3, 5], 1),
      `%0 = input() {name="x", type=f32[2,3,5]}
       %1 = upsample_linear(%0) {size=[13]}`,
    ],
    [
      'upsample_linear in 3D',
      noise32([1, 2, 2, 3, 5], 1),
      `%0 = input() {name="x", type=f32[1,2,2,3,5]}
       %1 = upsample_linear(%0) {size=[4, 9, 7]}`,
    ],
    [
      'upsample_linear to fewer and to single positions',
      noise32([1, 2, 9, 6], 1),
      `%0 = input() {name="x", type=f32[1,2,9,6]}
       %1 = upsample_linear(%0) {size=[4, 1]}`,
    ],
    [
      'group_norm of one channel a group, in 3D',
      noise32([2, 4, 2, 3, 2], 1),
      `%0 = input() {name="x", type=f32[2,4,2,3,2]}
       %1 = param() {name="w", shape=[4]}
       %2 = param() {name="bias", shape=[4]}
       %3 = group_norm(%0, %1, %2) {groups=4, eps=0.00001}`,
    ],
    [
      'attention of one position',
      noise32([3, 24, 1], 1),
      `%0 = input() {name="x", type=f32[3,24,1]}
       %1 = attention(%0) {heads=4, order="heads_first"}`,
    ],
    [
      'attention with q, k and v of all heads together',
      noise32([2, 24, 5], 1),
      `%0 = input() {name="x", type=f32[2,24,5]}
       %1 = attention(%0) {heads=4, order="qkv_first"}`,
    ],
  ])('%s', async (_, x, text) => {
    const last = text.trim().split('\n').length - 1;
    const graph = parseOpGraph(`${text}\nreturn output=%${last}`);
    verified(await errors(graph, { x, timesteps }), 5e-7);
    await takesAnyBatch(graph, { x, timesteps });
  });

  it('embeds timesteps with the sines first, and shifted frequencies', async () => {
    const graph = parseOpGraph(`
      %0 = input() {name="timesteps", type=f32[2]}
      %1 = timestep_embedding(%0) {dim=9, max_period=10000, order="sin_cos", shift=1}
      return output=%1
    `);
    const inputs = { x: tensor([1], [0]), timesteps: tensor([2], [999, 12]) };
    verified(await errors(graph, inputs), 5e-7);
    await takesAnyBatch(graph, inputs);
  });

  it('embeds timesteps to the last digits of float32, whatever their angles', async () => {
    const graph = parseOpGraph(`
      %0 = input() {name="timesteps", type=f32[400]}
      %1 = timestep_embedding(%0) {dim=16, max_period=10000, order="cos_sin", shift=0}
      return output=%1
    `);
    // up to 2^13 half turns
    const inputs = {
      x: tensor([1], [0]),
      timesteps: tensor(
        [400],
        Array.from({ length: 400 }, (_, i) => i * 64.25),
      ),
    };
    const [found, expected] = [await runOnnx(graph, params, inputs), runReference(graph, params, inputs)];
    const exact = expected.get('output')!.data;
    const worst = found
      .get('output')!
      .data.reduce((most, one, i) => Math.max(most, Math.abs(one - exact[i]!)), 0);
    expect(worst).toBeLessThan(3e-7);
  });

  it('rounds float16 once an op, with float32 operands beside', async () => {
    const graph = withAllOutputs(
      parseOpGraph(`
        %0 = input() {name="x", type=f32[2,8,4,4]}
        %1 = param() {name="w", shape=[8]}
        %2 = param() {name="bias", shape=[8]}
        %3 = param() {name="e", shape=[2, 16]}
        %4 = param() {name="kernel", shape=[12, 8, 3, 3]}
        %5 = param() {name="kernel.bias", shape=[12]}
        %6 = cast(%0) {dtype=f16}
        %7 = group_norm(%6, %1, %2) {groups=4, eps=0.00001}
        %8 = film(%7, %3)
        %9 = silu(%8)
        %10 = cast(%4) {dtype=f16}
        %11 = cast(%5) {dtype=f16}
        %12 = conv(%9, %10, %11) {stride=[1, 1], padding=[1, 1]}
        %13 = upsample_nearest(%12) {factor=[2, 2]}
        %14 = avg_pool(%13) {kernel=[2, 2]}
        %15 = reshape(%14) {shape=[2, 12, 16]}
        %16 = attention(%15) {heads=2, order="heads_first"}
        %17 = add(%16, %16)
        return output=%17
      `),
    );
    verified(await errors(graph, { x: noise32([2, 8, 4, 4], 1), timesteps }), 1e-3);
  });
});

function verified(found: ReadonlyMap<string, number>, tolerance: number): void {
  for (const [name, error] of found) expect(error, name).toBeLessThan(tolerance);
}
