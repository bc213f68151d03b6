// The first kernel that makes a NaN or an infinity is found on the adapter, where a weight is NaN or too large, in float32
// and in float16.

import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import type { Precision } from '../../compiler/precision.ts';
import { GENERIC } from '../../compiler/target.ts';
import { targetHere } from '../../engine/compile/target-here.ts';
import { type BadKernel, findBadKernel } from '../../runtime/bad-kernel.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { decodePort } from '../../runtime/port-values.ts';
import { normalNoise } from '../../runtime/sampler/noise.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { goldenForward } from '../fixtures/golden-forward.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { goldenCase, goldenGraph } from '../golden-cases.ts';
import { openProgram, testTargets } from '../on-device.ts';

const INPUTS = { x: { shape: [1, 1, 8, 8], data: normalNoise(1, 0, 64) }, timesteps: [10] };

/** Finds the kernel where `name` has its first value replaced; in float16 on the target that every adapter has. */
async function findWith(precision: Precision, name: string | null, value: number): Promise<BadKernel | null> {
  const { graph } = loadGraph(SMALL_GRAPH, 'small');
  const { read } = matchWeights(parameters(graph), openWeights('hash:1'));
  const target = precision === 'f16' ? GENERIC : await targetHere(undefined);
  const { bundle } = compileGraph(graph, { target, precision });
  const program = await openProgram(bundle, (own) =>
    own === name ? read(own).map((other, i) => (i === 0 ? value : other)) : read(own),
  );
  try {
    return await findBadKernel(program, INPUTS);
  } finally {
    program.close();
  }
}

describe.each(['f32', 'f16'] as const)('in %s', (precision) => {
  test('nothing is found where all is well', async () => {
    expect(await findWith(precision, null, 0)).toBeNull();
  });

  test.each(['middle_block.1.qkv.weight', 'output_blocks.1.0.out_layers.3.weight', 'out.2.bias'])(
    'a NaN in %s is found in the kernel that reads it, and no wider type is said to help',
    async (bad) => {
      const found = await findWith(precision, bad, Number.NaN);
      expect(found!.told).toContain(bad);
      expect(found!.told).toMatch(
        /^dispatch \d+ of \d+, kernels\/[\w.-]+\.wgsl of .* values are not finite, the first is NaN/,
      );
      expect(found!.overflow).toBe(false);
    },
  );
});

test('what overflows in float16 is found where it is stored, and float32 has room for it', async () => {
  const bias = 'input_blocks.1.0.in_layers.2.bias';
  const found = await findWith('f16', bias, 1e6);
  expect(found!.told).toContain(bias);
  expect(found!.told).toMatch(/the first is Infinity at 0$/);
  expect(found!.overflow).toBe(true);
  expect(await findWith('f32', bias, 1e6)).toBeNull();
});

/** Every slot as a traced pass leaves it, and whether all that was traced was finite. */
async function traced(bundle: Bundle, name: string) {
  const { graph } = loadGraph(goldenGraph(name), name);
  const { given } = goldenForward(name);
  const program = await openProgram(bundle, weightsOf(graph, goldenCase(name).weights.seed));
  try {
    const results = await program.run(given);
    const last = new Map<number, { readonly dtype: string; readonly values: Float32Array }>();
    let finite = true;
    for await (const { slot, dtype, values } of program.trace(given)) {
      finite &&= values.every(Number.isFinite);
      last.set(slot, { dtype, values });
    }
    return { results, last, finite };
  } finally {
    program.close();
  }
}

test.each([
  'tiny-film',
  'tiny-superres',
  'tiny-heads-up',
  'adm/updown-1d',
  'diffusers/scale-shift-attention',
])(
  'the slots of %s in float16 are read as what they hold: outputs as a run gives them, and nothing that is not finite',
  async (name) => {
    const { graph } = loadGraph(goldenGraph(name), name);
    const batch = goldenForward(name).given.x.shape[0]!;
    for (const target of await testTargets()) {
      const { bundle } = compileGraph(graph, { batch, taps: true, target, precision: 'f16' });
      const { results, last, finite } = await traced(bundle, name);
      expect(finite, target.name).toBe(true);
      const halves = bundle.manifest.outputs.filter(({ dtype }) => dtype === 'f16');
      expect(halves.length, target.name).toBeGreaterThan(3);
      for (const port of bundle.manifest.outputs) {
        const { dtype, values } = last.get(port.slot)!;
        expect(dtype, `${target.name} ${port.name}`).toBe(port.dtype);
        const wide = { ...port, dtype: 'f32' as const };
        const { data } = decodePort(wide, Uint8Array.from(new Uint8Array(values.buffer)));
        expect([...data], `${target.name} ${port.name}`).toEqual([...results.get(port.name)!.data]);
      }
    }
  },
);
