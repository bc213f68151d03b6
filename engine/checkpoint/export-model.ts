// Exports a graph file with its weights to an ONNX file, checked whole before anything is written.

import path from 'node:path';
import { exportOnnx, ONNX_INLINE_LIMIT, onnxWeightBytes } from '../../compiler/export/onnx.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { lowerGraph } from '../../compiler/graph/lower.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { countParams } from '../../compiler/opgraph/cost.ts';
import { checkWritable, writeLargeFile } from '../../runtime/host/node/files.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { UsageError } from '../errors.ts';
import { readGraph } from '../graph/graph-file.ts';
import { type Host, warnAll } from '../host.ts';
import { packageVersion } from '../package.ts';
import { openRenamed } from './renamed-weights.ts';

/** The batch of a model that takes any. */
export const DYNAMIC = 'dynamic' as const;

export interface ExportJob {
  /** A checkpoint, a part of one as `FILE#KEY`, or `hash:SEED`. */
  readonly weights: string;
  /** Leaves out tensors of the weights that the graph does not have. */
  readonly allowUnexpected?: boolean | undefined;
  /** A file of `unetc diff --write-rename-map`, by which the weights are read. */
  readonly renameMap?: string | undefined;
  /** The .onnx file to write. */
  readonly output: string;
  /** Images of a call; `dynamic` leaves it to each. */
  readonly batch: number | typeof DYNAMIC;
  /** Slowest dimension first; one number stands for all. Not given, the graph's own. */
  readonly size?: readonly number[] | undefined;
  readonly taps?: boolean | undefined;
  /** Keeps the weights in a file beside the model however few they are. */
  readonly externalData?: boolean | undefined;
}

export interface ExportResult {
  readonly graph: string;
  readonly output: string;
  /** The file of weights beside the model, where they did not fit into it. */
  readonly weights_file: string | null;
  readonly params: number;
  /** ONNX operators in the model. */
  readonly nodes: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Writes the model. `inlineLimit` is the most bytes of weights that the model file holds itself. */
export async function exportModel(
  graphFile: string,
  job: ExportJob,
  host: Host,
  inlineLimit = ONNX_INLINE_LIMIT,
): Promise<ExportResult> {
  const { weights: weightsFile, allowUnexpected, renameMap, output, batch, size } = job;
  const { taps = false, externalData = false } = job;
  if (!output.endsWith('.onnx')) {
    throw new UsageError(
      (option) => `${option('output')}: found '${output}', expected a file whose name ends in .onnx`,
    );
  }
  const { graph, warnings } = readGraph(graphFile, { size });
  warnAll(host, warnings, graphFile);

  const source = await openRenamed(weightsFile, renameMap, graph);
  try {
    const weights = matchWeights(parameters(graph), source, { allowUnexpected });
    for (const note of weights.notes) host.note(`${weightsFile}: ${note}`);
    const anyBatch = batch === DYNAMIC;
    const ops = lowerGraph(graph, { batch: anyBatch ? 1 : batch, taps, precision: 'f32' });
    const beside = externalData || onnxWeightBytes(ops) > inlineLimit ? `${output}.data` : null;
    for (const file of beside === null ? [output] : [output, beside]) checkWritable(file);

    const exported = exportOnnx(ops, (name) => weights.read(name), {
      name: graph.name,
      version: packageVersion(),
      description: describe(graph, batch),
      properties: [
        ['params', String(countParams(ops))],
        ['diffusion', JSON.stringify(graph.diffusion)],
      ],
      weightsFile: beside === null ? null : path.basename(beside),
      anyBatch,
    });
    // The weights first: a model that is there finds them.
    if (beside !== null && exported.weights !== null) {
      await writeLargeFile(beside, exported.weights, host.signal);
    }
    await writeLargeFile(output, exported.model, host.signal);
    return {
      graph: graph.name,
      output,
      weights_file: beside,
      params: countParams(ops),
      nodes: exported.nodes,
      inputs: ops.nodes.flatMap((node) => (node.op === 'input' ? [node.attrs.name] : [])),
      outputs: ops.outputs.map((o) => o.name),
    };
  } finally {
    source.close();
  }
}

function describe(
  { name, image_size, num_classes, super_resolution }: Graph,
  batch: ExportJob['batch'],
): string {
  const images = batch === DYNAMIC ? 'any batch' : `batch ${batch}`;
  const parts = [`${name}: denoising UNet for ${image_size.join('x')} images, ${images}`];
  if (num_classes !== null) parts.push(`${num_classes} classes`);
  if (super_resolution !== null) parts.push(`upsamples from ${super_resolution.low_res_size.join('x')}`);
  return `${parts.join('; ')}. timesteps are those of the diffusion process the model was trained with.`;
}
