import { describe, expect, it } from 'vitest';
import { parseOpGraph } from '../../../compiler/opgraph/parse.ts';
import { type ParamReader, type RefInputs, runReference } from '../../../compiler/opgraph/reference.ts';
import { noise, tensor } from '../../fixtures/values.ts';

const inputs = { x: tensor([1, 1, 2], [0.1, -3]), timesteps: tensor([1], [5]) } satisfies RefInputs;
const params: ParamReader = (_, shape) => Float32Array.from(noise(shape, 7).data);

describe('runReference', () => {
  it('gives every output by name, the same value under two names too', () => {
    const graph = parseOpGraph(`
      %0 = input() {name="x", type=f32[1,1,2]}
      %1 = add(%0, %0)
      return output=%1, up.0=%1, down.0=%0
    `);
    const results = runReference(graph, params, inputs);
    expect([...results.keys()]).toEqual(['output', 'up.0', 'down.0']);
    expect([...results.get('output')!.data]).toEqual([0.2, -6]);
    expect(results.get('up.0')).toEqual(results.get('output'));
    expect(results.get('down.0')!.data).toEqual(inputs.x.data);
  });

  it('rounds float16 values after each op, float32 values never', () => {
    const graph = parseOpGraph(`
      %0 = input() {name="x", type=f32[1,1,2]}
      %1 = cast(%0) {dtype=f16}
      %2 = add(%1, %1)
      %3 = add(%0, %0)
      return output=%2, middle=%3
    `);
    const results = runReference(graph, params, { ...inputs, x: tensor([1, 1, 2], [0.1, 40000]) });
    expect([...results.get('output')!.data]).toEqual([0.199951171875, Infinity]);
    expect([...results.get('middle')!.data]).toEqual([0.2, 80000]);
  });

  it('reads a parameter when it is first needed, once, and skips what no output needs', () => {
    const graph = parseOpGraph(`
      %0 = param() {name="late", shape=[1, 1]}
      %1 = param() {name="bias", shape=[1]}
      %2 = param() {name="unused", shape=[1]}
      %3 = input() {name="timesteps", type=f32[1]}
      %4 = timestep_embedding(%3) {dim=1, max_period=10000, order="cos_sin", shift=0}
      %5 = linear(%4, %0, %1)
      %6 = linear(%5, %0, %1)
      %7 = silu(%5)
      return output=%6
    `);
    const seen: string[] = [];
    const read: ParamReader = (name, shape) => {
      seen.push(name);
      return params(name, shape);
    };
    runReference(graph, read, inputs, (node, id) => seen.push(`%${id}=${node.op}`));
    expect(seen.filter((s) => !s.includes('param'))).toEqual([
      '%3=input',
      '%4=timestep_embedding',
      'late',
      'bias',
      '%5=linear',
      '%6=linear',
    ]);
  });

  it('lets the observer see every value', () => {
    const graph = parseOpGraph(`
      %0 = input() {name="x", type=f32[1,1,2]}
      %1 = add(%0, %0)
      %2 = add(%1, %0)
      return output=%2
    `);
    const values: number[][] = [];
    runReference(graph, params, { ...inputs, x: tensor([1, 1, 2], [1, 2]) }, (_, __, value) =>
      values.push([...value.data]),
    );
    expect(values).toEqual([
      [1, 2],
      [2, 4],
      [3, 6],
    ]);
  });

  it('says which input is missing or of another shape', () => {
    const graph = parseOpGraph(`
      %0 = input() {name="y", type=u32[2]}
      return output=%0
    `);
    expect(() => runReference(graph, params, inputs)).toThrow(/takes y, which/);
    expect(() => runReference(graph, params, { ...inputs, y: tensor([1], [0]) })).toThrow(
      /%0 = input .*\[1\] .*\[2\]/,
    );
  });
});
