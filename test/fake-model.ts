// A model for tests of the sampler: no network, but an output that depends on everything a sample is given.

import type { Model, ModelInterface } from '../runtime/model.ts';
import type { Denoiser, DenoiserInputs } from '../runtime/sampler/denoiser.ts';
import { elements, type Tensor } from '../runtime/tensor.ts';

export interface FakeModel extends Model {
  /** Inputs of the passes so far, copied. */
  readonly passes: readonly DenoiserInputs[];
}

/**
 * An interface that runs `output` for each image: its x, timestep, label and low-resolution image to a value at
 * each output element. `poison` may change the whole batch's output before it is returned.
 */
export function fakeModel(
  changes: Partial<Denoiser> = {},
  poison: (output: Float32Array, pass: number) => void = () => {},
): FakeModel {
  const face: Denoiser = {
    batch: 1,
    in_channels: 3,
    out_channels: 3,
    image_size: [4, 6],
    num_classes: null,
    low_res_size: null,
    classifier_classes: null,
    ...changes,
  };
  const passes: DenoiserInputs[] = [];
  return {
    interface: portsOfDenoiser(face),
    passes,
    async run(given) {
      const inputs = given as DenoiserInputs;
      passes.push({ ...inputs, x: copy(inputs.x), timesteps: Array.from(inputs.timesteps) });
      const shape = [face.batch, face.out_channels, ...face.image_size];
      const data = new Float32Array(elements(shape));
      for (let b = 0; b < face.batch; b++) fillImage(data, face, inputs, b);
      poison(data, passes.length);
      return new Map([['output', { shape, data }]]);
    },
  };
}

/** The ports of a model that takes and gives what `face` says. */
export function portsOfDenoiser(face: Denoiser): ModelInterface {
  const { batch, in_channels, out_channels, image_size, num_classes, low_res_size } = face;
  const image = (name: string, shape: readonly number[]) =>
    ({ name, encoding: 'image', dtype: 'f32', shape: [batch, ...shape] }) as const;
  const embedded = { dim: 32, max_period: 10000, order: 'cos_sin', shift: 0 } as const;
  const classes = num_classes ?? 0;
  return {
    batch,
    inputs: [
      image('x', [in_channels, ...image_size]),
      { name: 'timesteps', encoding: 'timestep', dtype: 'f32', shape: [batch], ...embedded },
      ...(classes ? [{ name: 'y', encoding: 'label', dtype: 'u32', shape: [batch], classes } as const] : []),
      ...(low_res_size ? [image('low_res', [in_channels, ...low_res_size])] : []),
    ],
    outputs: [image('output', [out_channels, ...image_size])],
  };
}

function fillImage(data: Float32Array, face: Denoiser, inputs: DenoiserInputs, b: number): void {
  const pixels = face.image_size.reduce((n, size) => n * size, 1);
  const [wide, tall] = [face.in_channels * pixels, face.out_channels * pixels];
  const label = inputs.y?.[b] ?? 0;
  const low = inputs.low_res ? inputs.low_res.data[(b * inputs.low_res.data.length) / face.batch]! : 0;
  for (let i = 0; i < tall; i++) {
    const x = inputs.x.data[b * wide + (i % wide)]!;
    data[b * tall + i] = 0.8 * x + 0.1 * Math.sin(i + label + 3 * low + inputs.timesteps[b]! / 100);
  }
}

function copy({ shape, data }: Tensor): Tensor {
  return { shape, data: data.slice() };
}

/** A classifier whose gradient pulls each image towards its label's own pattern. */
export function fakeClassifier(
  changes: Partial<Denoiser> & { readonly classes?: number; readonly gradient?: boolean } = {},
): FakeModel {
  const { classes = 10, gradient = true, ...rest } = changes;
  const model = fakeModel({ ...rest, num_classes: gradient ? classes : null });
  const { batch, inputs, outputs } = model.interface;
  const { shape } = outputs[0]!;
  const logits = { name: 'output', encoding: 'image', dtype: 'f32', shape: [batch, classes] } as const;
  const derivative = { name: 'gradient', encoding: 'image', dtype: 'f32', shape } as const;
  return {
    passes: model.passes,
    interface: { batch, inputs, outputs: [logits, ...(gradient ? [derivative] : [])] },
    async run(given) {
      const results = await model.run(given);
      return new Map([['gradient', results.get('output')!]]);
    },
  };
}
