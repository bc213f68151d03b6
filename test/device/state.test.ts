// Tensors that live while a program does: states that passes and the host change, weights that dispatches fill.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ModelInputs } from '../../runtime/model.ts';
import type { Program } from '../../runtime/program.ts';
import { FIRST, stateBundle } from '../fixtures/state-bundle.ts';
import { openProgram } from '../on-device.ts';

const ONES = new Float32Array(8).fill(1);

/** Inputs that add `scale` to each value of the state. */
const adding = (scale: number): ModelInputs => ({ x: { shape: [8], data: ONES }, scale: [scale, 0] });

/** `FIRST` with `more` added to each value, times `factor`. */
const grown = (more: number, factor = 1): number[] => Array.from(FIRST, (v) => factor * (v + more));

let program: Program;
beforeEach(async () => {
  program = await openProgram(await stateBundle(), () => FIRST);
});
afterEach(() => program.close());

const values = async (name: string): Promise<number[]> => [...(await program.state.read(name)).data];

describe('a state', () => {
  it('begins as its parameter, or as zeros, whatever kernels were run before', async () => {
    expect(await program.state.read('total')).toEqual({ shape: [8], data: FIRST });
    expect(await program.state.read('image')).toEqual({ shape: [1, 3, 2], data: new Float32Array(6) });
  });

  it('is what passes have made of it, and weights are filled from it in each of them', async () => {
    for (const [pass, total] of [1, 2, 3].entries()) {
      const results = await program.run(adding(1));
      expect([...results.get('product')!.data], `pass ${pass}`).toEqual(grown(total, 2));
      expect(results.get('product')!.shape).toEqual([2, 4]);
      expect([...results.get('halves')!.data]).toEqual(grown(total));
    }
    expect(await values('total')).toEqual(grown(3));
    expect(await values('image')).toEqual(Array(6).fill(3));
  });

  it('is written by the host between passes, in the order of the calls', async () => {
    const first = program.run(adding(5));
    const between = program.state.read('total');
    const put = program.state.write('total', { shape: [8], data: new Float32Array(8).fill(100) });
    const second = program.run(adding(7));
    const image = { shape: [1, 3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const after = program.state.write('image', image);
    expect([...(await first).get('product')!.data]).toEqual(grown(5, 2));
    expect([...(await between).data]).toEqual(grown(5));
    await Promise.all([put, after]);
    expect([...(await second).get('product')!.data]).toEqual(Array(8).fill(214));
    expect(await program.state.read('image')).toEqual(image);
  });

  it('is changed by another pass, which has inputs of its own and gives nothing', async () => {
    await program.run(adding(1));
    const shrunk = await program.runPass('shrink', { factor: [0.5] });
    expect([...shrunk]).toEqual([]);
    expect(await values('total')).toEqual(grown(1, 0.5));
    expect(await values('image')).toEqual(Array(6).fill(1));
    expect(program.interface.inputs.map(({ name }) => name)).toEqual(['x', 'scale']);
    await expect(program.runPass('shrink', adding(1))).rejects.toThrow(
      'factor is missing: the model takes [1]',
    );
    await expect(program.runPass('grow', {})).rejects.toThrow(
      'the bundle has no pass called grow; it has forward, shrink',
    );
    await expect(program.run({ ...adding(1), factor: [1] })).rejects.toThrow(
      'factor is given, but the model takes only',
    );
  });

  it('is one of each program', async () => {
    const other = await openProgram(await stateBundle(), () => FIRST);
    await program.run(adding(1));
    expect([...(await other.state.read('total')).data]).toEqual([...FIRST]);
    other.close();
  });

  it('survives a traced pass, which is a pass', async () => {
    await program.run(adding(1));
    const traced = [];
    for await (const { dispatch, values: written } of program.trace(adding(2)))
      traced.push([dispatch, written[0]]);
    expect(traced).toEqual([
      [0, 4],
      [1, 2],
      [3, 8],
      [4, 4], // of float16
    ]);
    expect(await values('total')).toEqual(grown(3));
  });

  it('that is not there, or a tensor that does not fit it, is told', async () => {
    await expect(program.state.read('sum')).rejects.toMatchObject({
      kind: 'input',
      message: 'the bundle has no state called sum; it has total, image',
    });
    const wrong = program.state.write('total', { shape: [4], data: new Float32Array(4) });
    await expect(wrong).rejects.toThrow('state total has shape [4], expected [8]');
    const bad = program.state.write('total', { shape: [8], data: ONES.map((v, i) => (i === 2 ? v / 0 : v)) });
    await expect(bad).rejects.toThrow('state total is Infinity at [2]');
  });

  it('takes whole numbers only for a port of u32, and as many values as its shape has', async () => {
    const run = (inputs: ModelInputs) => program.run({ ...adding(1), ...inputs });
    await expect(run({ scale: [1.5, 0] })).rejects.toThrow('scale[0] is 1.5, expected a whole number');
    await expect(run({ scale: [1] })).rejects.toThrow('scale has 1 values, expected 2: [2] row-major');
    await expect(run({ x: [1, 2] })).rejects.toThrow('x has 2 values, expected 8: [8] row-major');
    await expect(run({ z: [1] })).rejects.toThrow(
      'z is given, but the model takes only x, scale; leave it out',
    );
  });
});
