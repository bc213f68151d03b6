// Runs `unetc encode`: images to the latents that DDIM leads back to them, in a file that `sample --noise` takes.

import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Context } from '../../cli/context.ts';
import { parseCount, parseNumbers } from '../../cli/parse.ts';
import { createProgress } from '../../cli/progress.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { checkWritable, pathKind, writeFile } from '../../runtime/host/node/files.ts';
import type { ModelInterface } from '../../runtime/model.ts';
import { type EncodeRequest, encode } from '../../runtime/sampler/encode.ts';
import type { Guidance } from '../../runtime/sampler/forward.ts';
import { type DiffusionSettings, diffusionProcess } from '../../runtime/sampler/process.ts';
import { checkGuidance, checkRequests, lowResShape, sampleShape } from '../../runtime/sampler/request.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import type { OpenModelOptions } from '../model/open-model.ts';
import { imageValues, readImages } from './inputs.ts';
import { parseGuidance, parseSteps, type SampleWords } from './job.ts';
import { evenBatch, type OpenModel } from './run.ts';

/** The options of the command as they were typed. */
export interface EncodeWords
  extends Pick<
    SampleWords,
    | 'weights'
    | 'class'
    | 'lowRes'
    | 'steps'
    | 'clip'
    | 'guidance'
    | 'nullClass'
    | 'strict'
    | 'reference'
    | 'quiet'
  > {
  readonly images: string;
  readonly output: string;
  readonly refine?: string;
  readonly batch?: string;
}

/** What was done, in the words of `--json`. */
export interface EncodeResult {
  readonly name: string;
  readonly adapter: string;
  readonly images: number;
  readonly steps: number;
  readonly output: string;
  readonly seconds: number;
}

const USUAL_REFINE = 10;
const MOST_REFINE = 1000;
const LARGEST_BATCH = 4096;

/** @throws UsageError, RuntimeError and GraphError as the parts do, before anything is written */
export async function runEncode(
  model: string,
  words: EncodeWords,
  context: Context,
  open: OpenModel,
): Promise<EncodeResult> {
  const steps = parseSteps(words.steps);
  const guidance = parseGuidance(words);
  const refine = words.refine === undefined ? USUAL_REFINE : parseRefine(words.refine);
  const labels = words.class === undefined ? null : parseNumbers(words.class, '--class');
  const asked = words.batch === undefined ? undefined : parseCount(words.batch, '--batch', LARGEST_BATCH);
  const images = readImages(words.images, 'samples');
  const low = words.lowRes === undefined ? null : readImages(words.lowRes, 'low_res');
  if (low !== null && images.length % low.length !== 0) {
    throw new RuntimeError(
      'input',
      `${words.lowRes}: ${low.length} images do not go round ${images.length} evenly; give one for each`,
    );
  }
  checkWritable(words.output);
  const plan = (face: ModelInterface, diffusion: DiffusionSettings) => {
    const process = diffusionProcess(diffusion, steps);
    const lowShape = lowResShape(face);
    const requests = images.map((image, k): EncodeRequest => {
      const low_res = low === null ? null : imageValues(low[k % low.length]!, lowShape ?? sampleShape(face));
      return {
        seed: k,
        image: imageValues(image, sampleShape(face)),
        ...(labels === null ? {} : { label: labels[k % labels.length]! }),
        ...(low_res === null ? {} : { low_res }),
      };
    });
    checkRequests(face, process, { kind: 'ddim', eta: 0 }, requests);
    if (guidance !== null) checkGuidance(face, guidance);
    return { process, requests };
  };
  const batch = asked ?? (pathKind(model) === 'folder' ? undefined : evenBatch(images.length));
  const { weights, strict, reference, quiet, clip = true } = words;
  const check: OpenModelOptions['check'] = (face, { diffusion }) => void plan(face, diffusion);
  const opened = await open(
    model,
    { weights, strict, reference, quiet: quiet ?? false, batch, check },
    context,
  );
  try {
    const face = opened.model.interface;
    const { process, requests } = plan(face, opened.graph.diffusion);
    const total = Math.ceil(requests.length / face.batch) * process.timestep_map.length;
    const progress = createProgress(context, {
      label: 'encoding',
      unit: 'steps',
      total,
      quiet: quiet ?? false,
    });
    const start = performance.now();
    const latents: Tensor[] = [];
    try {
      const options = { process, refine, clip_denoised: clip, signal: context.signal, ...optional(guidance) };
      const onStep = (done: number): void => progress.update(done);
      for await (const one of encode(opened.model, requests, { ...options, onStep })) latents.push(one.image);
    } finally {
      progress.finish();
    }
    writeFile(words.output, latentFile(latents, requests, lowResShape(face)));
    return {
      name: opened.graph.name,
      adapter: opened.adapter,
      images: images.length,
      steps: process.timestep_map.length,
      output: path.normalize(words.output),
      seconds: (performance.now() - start) / 1000,
    };
  } finally {
    await opened.close();
  }
}

function parseRefine(text: string): number {
  return text === '0' ? 0 : parseCount(text, '--refine', MOST_REFINE);
}

function optional(guidance: Guidance | null): { readonly guidance?: Guidance } {
  return guidance === null ? {} : { guidance };
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
