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
