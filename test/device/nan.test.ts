// The first kernel that makes a NaN is found on the adapter, where a weight is NaN.

import { expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { targetHere } from '../../engine/compile/target-here.ts';
import { findBadKernel } from '../../engine/model/bad-kernel.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { normalNoise } from '../../runtime/sampler/noise.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { openProgram } from '../on-device.ts';

const INPUTS = { x: { shape: [1, 1, 8, 8], data: normalNoise(1, 0, 64) }, timesteps: [10] };

async function findWith(
  change: (name: string, values: Float32Array) => Float32Array,
): Promise<string | null> {
  const { graph } = loadGraph(SMALL_GRAPH, 'small');
  const { read } = matchWeights(parameters(graph), openWeights('hash:1'));
  const { bundle } = compileGraph(graph, { target: await targetHere(undefined) });
  const program = await openProgram(bundle, (name) => change(name, read(name)));
  try {
    return await findBadKernel(program, INPUTS);
  } finally {
    program.close();
  }
}

test('nothing is found where all is well', async () => {
  expect(await findWith((_, values) => values)).toBeNull();
});

test.each(['middle_block.1.qkv.weight', 'output_blocks.1.0.out_layers.3.weight', 'out.2.bias'])(
  'a NaN in %s is found in the kernel that reads it',
  async (bad) => {
    const found = await findWith((name, values) =>
      name === bad ? values.map((value, i) => (i === 0 ? Number.NaN : value)) : values,
    );
    expect(found).toContain(bad);
    expect(found).toMatch(
      /^dispatch \d+ of \d+, kernels\/[\w.-]+\.wgsl of .* values are not finite, the first is NaN/,
    );
  },
);
