// The page of a peer: the same digit by the same sampler, on onnxruntime-web. Bundled for a browser by the check.

import type { Model } from '../../../runtime/model.ts';
import { type DiffusionOptions, diffusionProcess } from '../../../runtime/sampler/process.ts';
import { sample } from '../../../runtime/sampler/sample.ts';
import type { Tensor } from '../../../runtime/tensor.ts';
import { portsOfDenoiser } from '../../fake-model.ts';

/** What is used of onnxruntime-web, which the page loads by its address. */
interface Ort {
  readonly env: { readonly wasm: { wasmPaths: string } };
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, shape: readonly number[]) => object;
  readonly InferenceSession: {
    create(model: string, options: object): Promise<Session>;
  };
}

interface Session {
  readonly inputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, object>>,
  ): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>;
}

export interface Draw {
  /** The module of onnxruntime-web, and the folder of its WebAssembly. */
  readonly module: string;
  readonly folder: string;
  readonly provider: 'webgpu' | 'wasm';
  readonly model: string;
  readonly diffusion: DiffusionOptions;
  readonly steps: string;
  readonly seed: number;
  readonly label: number;
}

/** Loads all that is needed, and draws. */
export async function draw({
  module,
  folder,
  provider,
  model,
  diffusion,
  steps,
  seed,
  label,
}: Draw): Promise<readonly number[]> {
  const ort: Ort = await import(module);
  ort.env.wasm.wasmPaths = folder;
  const session = await ort.InferenceSession.create(model, {
    // nodes that WebGPU has no kernel for are left to the other
    executionProviders: provider === 'wasm' ? ['wasm'] : ['webgpu', 'wasm'],
  });
  const labels = new BigInt64Array(1);
  const peer: Model = {
    interface: portsOfDenoiser({
      ...{ batch: 1, in_channels: 1, out_channels: 2, image_size: [28, 28], num_classes: 10 },
      ...{ low_res_size: null, classifier_classes: null },
    }),
    async run({ x, timesteps, y }) {
      const { data, shape } = x as Tensor;
      labels[0] = BigInt((y as ArrayLike<number>)[0]!);
      const found = await session.run({
        x: new ort.Tensor('float32', data, shape),
        timesteps: new ort.Tensor('float32', Float32Array.from(timesteps as ArrayLike<number>), [1]),
        y: new ort.Tensor('int64', labels, [1]),
      });
      const { data: output } = found.output!;
      return new Map([['output', { shape: [1, 2, 28, 28], data: Float32Array.from(output) }]]);
    },
  };
  const options = { process: diffusionProcess(diffusion, steps), sampler: { kind: 'ddim', eta: 0 } } as const;
  for await (const { image } of sample(peer, [{ seed, label }], options)) return Array.from(image.data);
  throw new Error('nothing was drawn');
}
