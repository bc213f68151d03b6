// Two passes of a program under way at once give what they give one after the other.

import { expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { normalNoise } from '../../runtime/sampler/noise.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { openProgram } from '../on-device.ts';

const inputs = (seed: number) => ({
  x: { shape: [2, 1, 8, 8], data: normalNoise(seed, 0, 128) },
  timesteps: [seed, 10 * seed],
});

test('passes that overlap have results of their own, and more of them wait their turn', async () => {
  const { graph } = loadGraph(SMALL_GRAPH, 'small');
  const { read } = matchWeights(parameters(graph), openWeights('hash:1'));
  const program = await openProgram(compileGraph(graph, { batch: 2 }).bundle, read);
  try {
    const output = async (seed: number) => (await program.run(inputs(seed))).get('output')!.data;
    const seeds = [1, 2, 3, 4, 5];
    const alone = [];
    for (const seed of seeds) alone.push(await output(seed));
    expect(await Promise.all(seeds.map(output))).toEqual(alone);
    expect(alone[0]).not.toEqual(alone[1]);
    // a run that is refused leaves the others their turn
    const wrong = program.run({ x: inputs(1).x });
    const again = seeds.map(output);
    await expect(wrong).rejects.toThrow('timesteps');
    expect(await Promise.all(again)).toEqual(alone);
  } finally {
    program.close();
  }
});

test('results that are given back make room for later ones, those that are kept stay, and the bits are the same', async () => {
  const { graph } = loadGraph(SMALL_GRAPH, 'small');
  const { read } = matchWeights(parameters(graph), openWeights('hash:1'));
  for (const layouts of ['host', 'adapter'] as const) {
    const program = await openProgram(compileGraph(graph, { batch: 2 }).bundle, read, { layouts });
    try {
      const kept = await program.run(inputs(1));
      const values = kept.get('output')!.data.slice();
      const given = await program.run(inputs(2));
      const second = given.get('output')!.data.slice();
      program.reuse!(given);
      expect(given.get('output')!.data.length, layouts).toBe(0);
      expect((await program.run(inputs(2))).get('output')!.data, layouts).toEqual(second);
      expect((await program.run(inputs(1))).get('output')!.data, layouts).toEqual(values);
      expect(kept.get('output')!.data, layouts).toEqual(values);
    } finally {
      program.close();
    }
  }
});
