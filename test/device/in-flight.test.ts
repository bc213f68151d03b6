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

test('passes that overlap have results of their own, and a third is refused', async () => {
  const { graph } = loadGraph(SMALL_GRAPH, 'small');
  const { read } = matchWeights(parameters(graph), openWeights('hash:1'));
  const program = await openProgram(compileGraph(graph, { batch: 2 }).bundle, read);
  try {
    const output = async (seed: number) => (await program.run(inputs(seed))).get('output')!.data;
    const alone = [await output(1), await output(2), await output(3)];
    const first = output(1);
    const second = output(2);
    await expect(output(3)).rejects.toThrow('2 runs of this program have not ended');
    expect(await first).toEqual(alone[0]);
    const third = output(3);
    expect(await second).toEqual(alone[1]);
    expect(await third).toEqual(alone[2]);
    expect(alone[0]).not.toEqual(alone[1]);
  } finally {
    program.close();
  }
});
