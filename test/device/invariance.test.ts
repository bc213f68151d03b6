// What a sample's bits do not depend on: the other samples of its batch, runs before, programs before.

import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { GENERIC, type Target } from '../../compiler/target.ts';
import type { Program } from '../../runtime/program.ts';
import { type DenoiserInputs, denoiserRow } from '../../runtime/sampler/denoiser.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import { inSlices } from '../fixtures/in-slices.ts';
import { inputsOf, weightsOf } from '../fixtures/model-values.ts';
import { openProgram, testTargets } from '../on-device.ts';

const SEED = 11;

const unet = {
  in_channels: 3,
  out_channels: 6,
  model_channels: 32,
  num_res_blocks: 1,
  attention_resolutions: [1, 2],
  channel_mult: [1, 2],
  num_heads: 2,
};

function load(name: string, options: object, top: object = {}): Graph {
  const spec = { version: 1, name, image_size: [8, 8], unet: { ...unet, ...options }, ...top };
  return loadGraph(JSON.stringify(spec), name).graph;
}

const models: readonly Graph[] = [
  load('film', { use_scale_shift_norm: true }),
  load('additive with classes', { num_classes: 10 }),
  load('super-resolution', { use_scale_shift_norm: true }, { super_resolution: { low_res_size: [5, 3] } }),
  // widths that end inside a quad: what no kernel writes must not count
  loadGraph(
    JSON.stringify({
      version: 1,
      name: 'odd widths',
      dims: 1,
      image_size: [9],
      in_channels: 1,
      out_channels: 1,
      num_classes: 3,
      time_embed: { channels: 7, hidden: 5 },
      blocks: {
        input: [
          { layers: [{ type: 'conv', in_channels: 1, out_channels: 30 }] },
          { layers: [{ type: 'conv', in_channels: 30, out_channels: 34 }] },
        ],
        middle: { layers: [{ type: 'conv', in_channels: 34, out_channels: 30 }] },
        output: [
          { layers: [{ type: 'res_block', in_channels: 64, out_channels: 32, conditioning: 'film' }] },
          { layers: [{ type: 'conv', in_channels: 62, out_channels: 32 }] },
        ],
      },
    }),
    'odd widths',
  ).graph,
];

interface Opened {
  readonly program: Program;
  readonly inputs: DenoiserInputs;
}

async function open(graph: Graph, batch: number, target: Target): Promise<Opened> {
  const { bundle, ops } = compileGraph(graph, { batch, target, taps: true });
  return { program: await openProgram(bundle, weightsOf(graph, SEED)), inputs: inputsOf(ops, SEED) };
}

/** Sample `b` of a tensor, as a batch of one. */
function sampleOf({ shape, data }: Tensor, b: number): Tensor {
  const size = elements(shape.slice(1));
  return { shape: [1, ...shape.slice(1)], data: data.slice(b * size, (b + 1) * size) };
}

function inputsOfSample({ x, timesteps, y, low_res }: DenoiserInputs, b: number): DenoiserInputs {
  return {
    x: sampleOf(x, b),
    timesteps: [timesteps[b]!],
    ...(y ? { y: [y[b]!] } : {}),
    ...(low_res ? { low_res: sampleOf(low_res, b) } : {}),
  };
}

/** The bits of all outputs. */
function bitsOf(results: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Uint32Array> {
  return new Map([...results].map(([name, { data }]) => [name, new Uint32Array(data.slice().buffer)]));
}

describe.each(models)('$name', (graph) => {
  it('gives sample k the same bits at batch 1 and at batch 4', async () => {
    for (const target of [...(await testTargets()), inSlices(GENERIC)]) {
      const four = await open(graph, 4, target);
      const one = await open(graph, 1, target);
      const together = await four.program.run(four.inputs);
      for (let b = 0; b < 4; b++) {
        const alone = await one.program.run(inputsOfSample(four.inputs, b));
        const mine = new Map([...together].map(([name, value]) => [name, sampleOf(value, b)]));
        expect(bitsOf(alone), `${target.name}, sample ${b}`).toEqual(bitsOf(mine));
      }
      four.program.close();
      one.program.close();
    }
  });

  it('gives the same bits whether its time path was computed by this run, ahead, or by runs before', async () => {
    for (const target of await testTargets()) {
      const { program, inputs } = await open(graph, 2, target);
      const rows = [3, 0, 1, 2].map((step) => denoiserRow(10 * step, inputs.y ? step % 3 : null));
      const at = (first: number, second: number): DenoiserInputs => ({
        ...inputs,
        timesteps: [rows[first]!.timesteps!, rows[second]!.timesteps!],
        ...(inputs.y ? { y: [rows[first]!.y!, rows[second]!.y!] } : {}),
      });
      const calls = [at(0, 1), at(1, 0), at(2, 2), at(1, 3), at(0, 1)];
      const fresh: ReadonlyMap<string, Uint32Array>[] = [];
      for (const call of calls) {
        const other = await open(graph, 2, target);
        fresh.push(bitsOf(await other.program.run(call)));
        other.program.close();
      }
      expect(fresh[0]).not.toEqual(fresh[1]);
      for (const ahead of [false, true]) {
        const again = await open(graph, 2, target);
        if (ahead) await again.program.prepareTimes?.(rows);
        for (const [i, call] of calls.entries()) {
          const found = bitsOf(await again.program.run(call));
          expect(found, `${target.name}, run ${i}, ${ahead}`).toEqual(fresh[i]);
        }
        again.program.close();
      }
      program.close();
    }
  });

  it('gives the same bits after a run that overflowed', async () => {
    for (const target of await testTargets()) {
      const { program, inputs } = await open(graph, 2, target);
      const first = bitsOf(await program.run(inputs));
      const huge = { ...inputs, x: { ...inputs.x, data: inputs.x.data.map((v) => v * 3e38) } };
      const overflowed = (await program.run(huge)).get('output')!;
      expect(overflowed.data.every(Number.isFinite)).toBe(false);
      expect(bitsOf(await program.run(inputs)), target.name).toEqual(first);
      program.close();
    }
  });
});

describe.each([models[0]!, models.at(-1)!])('$name', (graph) => {
  it('gives the same bits in 100 runs', async () => {
    for (const target of await testTargets()) {
      const { program, inputs } = await open(graph, 1, target);
      const first = bitsOf(await program.run(inputs));
      for (let run = 1; run < 100; run++) {
        expect(bitsOf(await program.run(inputs)), `${target.name}, run ${run}`).toEqual(first);
      }
      program.close();
    }
  });
});
