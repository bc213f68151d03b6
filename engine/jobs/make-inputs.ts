// Makes inputs that a model takes: noise by seeds, timesteps of its process, labels, low-resolution images. As values for
// the Node API, and as the file that `run`, `drift` and training read.

import type { ModelInputs, PortValue } from '../../runtime/model.ts';
import { listOf } from '../../runtime/port-values.ts';
import type { InputSpec } from '../../runtime/ports.ts';
import { INITIAL_STEP, normalNoise } from '../../runtime/sampler/noise.ts';
import { type DiffusionSettings, diffusionProcess } from '../../runtime/sampler/process.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import type { TensorData } from '../../runtime/weights/dtypes.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { checkGradient, givesGradient, type ModelSettings } from '../compile/model-settings.ts';
import { OptionError, UsageError } from '../errors.ts';
import { interfaceOf, type ModelSource } from '../model/model-source.ts';
import { imageValues, readImages } from './images.ts';

/** What the inputs are to be. What is not given is chosen, the same every time. */
export interface InputsJob extends Pick<ModelSettings, 'batch' | 'gradient'> {
  /** Of the noise, one a sample: that from which `sample` draws the samples of these seeds. Default: 0, 1, ... */
  readonly seeds?: readonly number[] | undefined;
  /** Whole steps of the training process, cycled over the samples. Default: spread over it. */
  readonly timesteps?: readonly number[] | undefined;
  /** Class labels, cycled over the samples. Default: 0, 1, ... */
  readonly labels?: readonly number[] | undefined;
  /** Images for a model that upsamples, as `sample --low-res` takes them, cycled. Default: noise in [-1, 1]. */
  readonly lowRes?: string | undefined;
  /** Those of a training step instead: `x_start` and `noise` for `x`, and whole timesteps. Default false. */
  readonly training?: boolean | undefined;
}

/** Streams of noise apart from that of a sample's start: no process has as many steps. */
const [LOW_RES_STREAM, IMAGE_STREAM] = [INITIAL_STEP - 1, INITIAL_STEP - 2];

/**
 * The inputs by name. Throws UsageError for options that do not go together, RuntimeError('input') where a value is not
 * one of the model's.
 */
export function makeInputs(source: ModelSource, job: InputsJob): ModelInputs {
  const { graph } = source;
  const bundle = source.kind === 'bundle' ? source.bundle.manifest : null;
  checkGradient(graph, job);
  const batch = bundle?.batch ?? job.batch ?? job.seeds?.length ?? 1;
  if (job.seeds !== undefined && job.seeds.length !== batch) {
    throw new UsageError(
      (option) =>
        `${option('seeds')} names ${job.seeds!.length} and ${bundle ? 'the bundle' : option('batch')} has ${batch}; ` +
        'give a seed for each image',
    );
  }
  const gradient = bundle ? givesGradient(bundle) : job.gradient;
  const ports = interfaceOf(graph, batch, { gradient: gradient ?? false }).inputs;
  checkAsked(ports, job);
  const make: Maker = { job, diffusion: graph.diffusion, seeds: job.seeds ?? countTo(batch) };
  return Object.fromEntries(
    ports.flatMap((port): readonly (readonly [string, PortValue])[] => {
      if (!job.training || port.name !== 'x') return [[port.name, inputOf(port, make)]];
      return [
        ['x_start', images(port, make.seeds, IMAGE_STREAM)],
        ['noise', inputOf(port, make)],
      ];
    }),
  );
}

/** The file of inputs: images and timesteps as F32, labels and the timesteps of training as I64. */
export function inputsFile(
  inputs: ModelInputs,
  { training = false }: Pick<InputsJob, 'training'> = {},
): Uint8Array {
  const stored = (name: string, value: PortValue): TensorData => {
    const whole = name === 'y' || (training && name === 'timesteps');
    return whole ? BigInt64Array.from(Array.from(listOf(value), BigInt)) : Float32Array.from(listOf(value));
  };
  return writeTensors(
    new Map(
      Object.entries(inputs).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, { shape: shapeOf(value), data: stored(name, value) }] as const],
      ),
    ),
  );
}

/** The shape of an input, a list of numbers being one. */
export function shapeOf(value: PortValue): readonly number[] {
  return 'shape' in value ? value.shape : [value.length];
}

interface Maker {
  readonly job: InputsJob;
  readonly diffusion: DiffusionSettings;
  /** One a sample. */
  readonly seeds: readonly number[];
}

function inputOf(port: InputSpec, { job, diffusion, seeds }: Maker): PortValue {
  switch (port.encoding) {
    case 'image':
      if (port.name !== 'low_res') return noise(port, seeds, INITIAL_STEP);
      return job.lowRes === undefined ? images(port, seeds, LOW_RES_STREAM) : readLowRes(job.lowRes, port);
    case 'timestep':
      return timesteps(diffusion, seeds.length, job);
    case 'label':
      return labels(port.classes, seeds.length, job.labels);
    case 'plain':
      return port.dtype === 'u32' ? countTo(elements(port.shape)) : noise(port, seeds, INITIAL_STEP);
  }
}

/** Standard normal, each sample by its seed. */
function noise({ shape }: InputSpec, seeds: readonly number[], stream: number): Tensor {
  const length = elements(shape) / seeds.length;
  const data = new Float32Array(elements(shape));
  for (const [k, seed] of seeds.entries()) data.set(normalNoise(seed, stream, length), k * length);
  return { shape, data };
}

/** Noise of half the width, which is where images are. */
function images(port: InputSpec, seeds: readonly number[], stream: number): Tensor {
  const { shape, data } = noise(port, seeds, stream);
  return { shape, data: data.map((value) => Math.max(-1, Math.min(1, value / 2))) };
}

/** As the model is fed them in sampling, scaled where the graph rescales; of training as they are. */
function timesteps(diffusion: DiffusionSettings, batch: number, job: InputsJob): readonly number[] {
  const { steps } = diffusion;
  const asked = job.timesteps ?? countTo(batch).map((k) => Math.floor((steps * (k + 0.5)) / batch));
  const wrong = asked.find((t) => !(Number.isInteger(t) && t >= 0 && t < steps));
  if (wrong !== undefined) {
    throw new OptionError(
      'input',
      (option) =>
        `${option('timesteps')}: found ${wrong}, expected whole steps of the graph's process, 0 to ${steps - 1}`,
    );
  }
  const fed = diffusionProcess({ ...diffusion, timestep_spacing: null }, '').model_timesteps;
  return countTo(batch).map((k) => {
    const t = asked[k % asked.length]!;
    return job.training ? t : fed[t]!;
  });
}

function labels(classes: number, batch: number, given: readonly number[] | undefined): readonly number[] {
  const wrong = given?.find((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (wrong !== undefined) {
    throw new OptionError(
      'input',
      (option) => `${option('class')}: found ${wrong}, and the model has classes 0 to ${classes - 1}`,
    );
  }
  return countTo(batch).map((k) => given?.[k % given.length] ?? k % classes);
}

function readLowRes(path: string, { shape: [batch = 1, ...shape] }: InputSpec): Tensor {
  const found = readImages(path, 'low_res').images;
  const data = new Float32Array(batch * elements(shape));
  for (let k = 0; k < batch; k++) data.set(imageValues(found[k % found.length]!, shape), k * elements(shape));
  return { shape: [batch, ...shape], data };
}

/** What a model does not take is not left out without a word. */
function checkAsked(ports: readonly InputSpec[], { labels, lowRes }: InputsJob): void {
  const asked = [
    ['y', 'class', labels],
    ['low_res', 'low_res', lowRes],
  ] as const;
  for (const [name, word, value] of asked) {
    if (value === undefined || ports.some((port) => port.name === name)) continue;
    const takes = ports.map((port) => port.name).join(', ');
    throw new OptionError('input', (option) => `${option(word)}: the model takes no ${name}, only ${takes}`);
  }
}

function countTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, k) => k);
}
