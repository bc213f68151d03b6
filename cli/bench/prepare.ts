// What the engines of one case are given: the weights as a file, the same in an ONNX model, and inputs.

import { join } from 'node:path';
import { exportOnnx, ONNX_INLINE_LIMIT, onnxWeightBytes } from '../../compiler/export/onnx.ts';
import { lowerGraph } from '../../compiler/graph/lower.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { openRenamed } from '../../engine/checkpoint/renamed-weights.ts';
import { readGraphFile } from '../../engine/graph/graph-file.ts';
import type { Host } from '../../engine/host.ts';
import { inputsFile, makeInputs } from '../../engine/jobs/make-inputs.ts';
import { exampleInputs } from '../../engine/model/example-inputs.ts';
import { interfaceOf, type ModelSource } from '../../engine/model/model-source.ts';
import type { ModelOptions } from '../../engine/model/open-model.ts';
import { packageVersion } from '../../engine/package.ts';
import { writeFile, writeLargeFile } from '../../runtime/host/node/files.ts';
import { listOf } from '../../runtime/port-values.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import { type MatchedWeights, matchWeights } from '../../runtime/weights/match.ts';
import { safetensorsChunks } from '../../runtime/weights/safetensors-write.ts';
import type { EngineJob } from './protocol.ts';

export interface Prepared {
  readonly weights: string;
  readonly onnx: string | null;
  readonly unet: Readonly<Record<string, unknown>> | null;
  readonly inputs: string;
  readonly training: EngineJob['training'];
}

/**
 * Writes the files into `folder`. Weights by formula or of another format are written out, so that every engine reads
 * the same kind of file. Throws RuntimeError('weights') where they do not fit the graph, RuntimeError('output').
 */
export async function prepare(
  source: ModelSource,
  batch: number,
  options: Pick<ModelOptions, 'weights' | 'renameMap' | 'allowUnexpected' | 'trainingStep'>,
  withOnnx: boolean,
  folder: string,
  host: Pick<Host, 'note' | 'signal'>,
): Promise<Prepared> {
  const { graph } = source;
  const weights = await openRenamed(options.weights, options.renameMap, graph);
  try {
    const matched = matchWeights(parameters(graph), weights, options);
    for (const note of matched.notes) host.note(`${weights.label}: ${note}`);
    const file = join(folder, 'weights.safetensors');
    const toWrite = parameters(graph).map(({ name, shape }) => ({
      ...{ name, shape, dtype: 'F32' as const },
      data: () => matched.read(name),
    }));
    await writeLargeFile(file, safetensorsChunks(toWrite), host.signal);
    const inputs = join(folder, 'inputs.safetensors');
    const trains = options.trainingStep !== undefined;
    const given = trains
      ? makeInputs(source, { batch, training: true })
      : exampleInputs(interfaceOf(graph, batch));
    writeFile(inputs, inputsFile(given, { training: trains }));
    return {
      weights: file,
      onnx: withOnnx ? await writeOnnx(source, batch, matched, folder, host.signal) : null,
      unet: unetOf(source),
      inputs,
      training: trains ? noisingOf(source, Array.from(listOf(given.timesteps!))) : null,
    };
  } finally {
    weights.close();
  }
}

/** x_t = signal x_start + noise e, for the noise e of a sample at its timestep. */
function noisingOf({ graph }: ModelSource, timesteps: readonly number[]): EngineJob['training'] {
  const { sqrt_alphas_cumprod, sqrt_one_minus_alphas_cumprod } = diffusionProcess(graph.diffusion).tables;
  return {
    signal: timesteps.map((t) => sqrt_alphas_cumprod[t]!),
    noise: timesteps.map((t) => sqrt_one_minus_alphas_cumprod[t]!),
  };
}

async function writeOnnx(
  source: ModelSource,
  batch: number,
  { read }: MatchedWeights,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const ops = lowerGraph(source.graph, { batch, taps: false, precision: 'f32' });
  const inline = onnxWeightBytes(ops) <= ONNX_INLINE_LIMIT;
  const { model, weights } = exportOnnx(ops, (name) => read(name), {
    name: source.graph.name,
    version: packageVersion(),
    description: '',
    properties: [],
    weightsFile: inline ? null : 'model.onnx.data',
  });
  if (weights !== null) await writeLargeFile(join(folder, 'model.onnx.data'), weights, signal);
  await writeLargeFile(join(folder, 'model.onnx'), model, signal);
  return join(folder, 'model.onnx');
}

/** The keyword arguments of a compact graph of which PyTorch has the whole model. */
function unetOf(source: ModelSource): Prepared['unet'] {
  if (source.kind !== 'graph') return null;
  const notation = readGraphFile(source.label);
  const { unet, super_resolution } = (
    typeof notation === 'string' ? JSON.parse(notation) : notation.value
  ) as {
    readonly unet?: Readonly<Record<string, unknown>>;
    readonly super_resolution?: object;
  };
  return unet === undefined || super_resolution || unet.upsample === 'conv_transpose' ? null : unet;
}
