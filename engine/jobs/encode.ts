// Encodes: images to the latents that DDIM leads back to them, in a file that `sample --noise` takes.

import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { RuntimeError } from '../../runtime/errors.ts';
import { checkWritable, writeFile } from '../../runtime/host/node/files.ts';
import type { ModelInterface } from '../../runtime/model.ts';
import { denoiserOf } from '../../runtime/sampler/denoiser.ts';
import { type EncodeRequest, encode } from '../../runtime/sampler/encode.ts';
import { type DiffusionSettings, diffusionProcess } from '../../runtime/sampler/process.ts';
import type { Guidance } from '../../runtime/sampler/request.ts';
import {
  checkClassifierGuidance,
  checkGuidance,
  checkRequests,
  lowResShape,
  sampleShape,
  takesLabels,
} from '../../runtime/sampler/request.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import type { Host } from '../host.ts';
import type { GuidedModelOptions, GuidedOptions } from '../model/open-guided.ts';
import { imageValues, readImages } from './images.ts';
import { checkUnlabelled } from './inputs.ts';
import { type OpenModel, scaleOf, usualBatch } from './run.ts';

export interface EncodeJob {
  /** A graph file or the folder of a bundle. */
  readonly model: string;
  /** How it is opened. Without a batch the job chooses. */
  readonly options: GuidedModelOptions;
  /** A PNG, a folder of them, or a safetensors file with `samples`. */
  readonly images: string;
  /** The safetensors file to write. */
  readonly output: string;
  /** Class labels, cycled over the images. */
  readonly labels: readonly number[] | null;
  /** Low-resolution images, as `images` are given, cycled over them. */
  readonly low_res: string | null;
  /** The respacing; empty for every step of the training process. */
  readonly steps: string;
  /** Whether the guess at x_0 is clipped to [-1, 1] at every step. */
  readonly clip: boolean;
  readonly guidance: Guidance | null;
  /** How far the classifier of `options` moves a step. */
  readonly classifier_scale: number;
  /** Corrections of each step at the most. */
  readonly refine: number;
}

/** What was done, in the words of `--json`. */
export interface EncodeResult {
  readonly name: string;
  readonly adapter: string;
  readonly images: number;
  /** Where each came from: its file, and of a file of many its place there. */
  readonly inputs: readonly string[];
  readonly steps: number;
  readonly output: string;
  readonly seconds: number;
}

/** @throws UsageError, RuntimeError and GraphError as the parts do, before anything is written */
export async function runEncode(job: EncodeJob, host: Host, open: OpenModel): Promise<EncodeResult> {
  const { model, output, steps, clip, guidance, refine } = job;
  const scale = scaleOf(job);
  const { images, labels: own } = readImages(job.images, 'samples');
  const low = job.low_res === null ? null : readImages(job.low_res, 'low_res').images;
  if (low !== null && images.length % low.length !== 0) {
    throw new RuntimeError(
      'input',
      `${job.low_res}: ${low.length} images do not go round ${images.length} evenly; give one for each`,
    );
  }
  checkWritable(output);
  const plan = (model: ModelInterface, diffusion: DiffusionSettings) => {
    const face = denoiserOf(model);
    const process = diffusionProcess(diffusion, steps);
    const lowShape = lowResShape(face);
    const labels = job.labels ?? (takesLabels(face) ? own : null);
    if (labels === null) checkUnlabelled(face);
    const requests = images.map((image, k): EncodeRequest => {
      const low_res = low === null ? null : imageValues(low[k % low.length]!, lowShape ?? sampleShape(face));
      return {
        seed: k,
        image: imageValues(image, sampleShape(face)),
        ...(labels === null ? {} : { label: labels[k % labels.length]! }),
        ...(low_res === null ? {} : { low_res }),
      };
    });
    checkClassifierGuidance(face, scale, guidance ?? undefined);
    checkRequests(face, process, { kind: 'ddim', eta: 0 }, requests);
    if (guidance !== null) checkGuidance(face, guidance);
    return { face, process, requests };
  };
  const batch = job.options.batch ?? usualBatch(job, images.length);
  const check: GuidedOptions['check'] = (face, { diffusion }) => void plan(face, diffusion);
  const opened = await open(model, { ...job.options, batch, check }, host);
  try {
    const { face, process, requests } = plan(opened.model.interface, opened.graph.diffusion);
    const total = Math.ceil(requests.length / face.batch) * process.timestep_map.length;
    const progress = host.progress({ label: 'encoding', unit: 'steps', total });
    const start = performance.now();
    const latents: Tensor[] = [];
    try {
      const options = {
        process,
        refine,
        clip_denoised: clip,
        signal: host.signal,
        ...optional(guidance, scale),
      };
      const onStep = (done: number): void => progress.update(done);
      for await (const one of encode(opened.model, requests, { ...options, onStep })) latents.push(one.image);
    } finally {
      progress.finish();
    }
    writeFile(output, latentFile(latents, requests, lowResShape(face)));
    return {
      name: opened.graph.name,
      adapter: opened.adapter,
      images: images.length,
      inputs: images.map(({ name }) => name),
      steps: process.timestep_map.length,
      output: path.normalize(output),
      seconds: (performance.now() - start) / 1000,
    };
  } finally {
    await opened.close();
  }
}

function optional(guidance: Guidance | null, scale: number | undefined) {
  return {
    ...(guidance === null ? {} : { guidance }),
    ...(scale === undefined ? {} : { classifier_scale: scale }),
  };
}

/** `noise` with its `y` and `low_res`, as `sample --noise` reads them. */
function latentFile(
  latents: readonly Tensor[],
  requests: readonly EncodeRequest[],
  lowShape: readonly number[] | null,
): Uint8Array {
  const labels = requests.flatMap(({ label }) => (label === undefined ? [] : [label]));
  return writeTensors(
    new Map<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }>([
      [
        'noise',
        stack(
          latents.map(({ data }) => data),
          latents[0]!.shape,
        ),
      ],
      ...(labels.length === 0
        ? []
        : [['y', { shape: [labels.length], data: BigInt64Array.from(labels, BigInt) }] as const]),
      ...(lowShape === null
        ? []
        : [
            [
              'low_res',
              stack(
                requests.map(({ low_res }) => low_res!),
                lowShape,
              ),
            ] as const,
          ]),
    ]),
  );
}

function stack(rows: readonly Float32Array[], shape: readonly number[]): Tensor {
  const data = new Float32Array(rows.length * elements(shape));
  for (const [k, row] of rows.entries()) data.set(row, k * elements(shape));
  return { shape: [rows.length, ...shape], data };
}
