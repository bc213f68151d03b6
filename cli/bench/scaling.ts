// How the time of a forward pass grows with the batch, with the pixels of an image and with the width of the model: one
// of the three is varied, the others are the graph's.

import fs from 'node:fs';
import { compileGraph } from '../../compiler/compile.ts';
import { GraphError } from '../../compiler/diagnostics.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { countMacs } from '../../compiler/opgraph/cost.ts';
import type { Target } from '../../compiler/target.ts';
import { checkMemory } from '../../engine/compile/memory-limit.ts';
import { targetHere } from '../../engine/compile/target-here.ts';
import { UsageError } from '../../engine/errors.ts';
import { exampleInputs } from '../../engine/model/example-inputs.ts';
import { type GraphSource, readModel } from '../../engine/model/model-source.ts';
import type { ModelOptions } from '../../engine/model/open-model.ts';
import { needlessToggles, openCompiled, trustedToggles } from '../../engine/model/open-program.ts';
import { median, sum } from '../../engine/statistics.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import type { Manifest } from '../../runtime/bundle.ts';
import { openDevice } from '../../runtime/host/node/dawn.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import type { Context } from '../context.ts';

export const AXES = ['batch', 'pixels', 'width'] as const;
export type Axis = (typeof AXES)[number];

/** One measurement. */
export interface ScalingPoint {
  readonly axis: Axis;
  readonly batch: number;
  readonly image_size: readonly number[];
  /** Channels of the first level. */
  readonly width: number;
  readonly ms_median: number;
  readonly ms_min: number;
  /** Floating-point operations of the pass, and those of attention among them. */
  readonly flops: number;
  readonly attention_flops: number;
}

/** What `--json` prints. */
export interface Scaling {
  readonly name: string;
  readonly model: string;
  readonly target: string;
  readonly adapter: string;
  readonly runs: number;
  readonly points: readonly ScalingPoint[];
  /** Points that were left out, with the reason. */
  readonly skipped: readonly string[];
}

export interface ScalingJob {
  readonly model: string;
  readonly options: ModelOptions;
  /** Batches to measure; where there is one only, 1 to 16. */
  readonly batches: readonly number[];
  readonly runs: number;
}

const BATCHES = [1, 2, 4, 8, 16];
/** Of the graph's own size and width. */
const SIZE_FACTORS = [0.5, 1, 2, 4];
const WIDTH_FACTORS = [0.5, 1, 1.5, 2];

/** A pass that would take longer than this by its operations is left out. */
const LONGEST_MS = 20_000;

/** Throws GraphError, RuntimeError and UsageError, as `bench` does. */
export async function measureScaling(job: ScalingJob, context: Context): Promise<Scaling> {
  const source = await readModel(job.model, job.options);
  if (source.kind !== 'graph') {
    throw new UsageError('--scaling: a bundle has one batch, size and width; name its graph file');
  }
  const target = await targetHere(job.options.target);
  const variants = variantsOf(source, job);
  const points: ScalingPoint[] = [];
  const skipped: string[] = [];
  let adapter = '';
  for (const variant of variants) {
    context.signal.throwIfAborted();
    const what = `${variant.axis} ${variant.what}`;
    const last = points.at(-1);
    try {
      context.stderr(`measuring ${what}\n`);
      const measured = await measure(variant, target, job, last ? last.flops / last.ms_min : null);
      adapter = measured.adapter;
      points.push({ axis: variant.axis, ...measured.point });
    } catch (error) {
      context.signal.throwIfAborted();
      // the graph itself is sound: what it cannot take, or what does not fit, has no place in the plot
      if (!(error instanceof GraphError || error instanceof UsageError)) throw error;
      skipped.push(`${what}: ${error.message.split('\n')[0]}`);
    }
  }
  const { name } = source.graph;
  return { name, model: job.model, target: target.name, adapter, runs: job.runs, points, skipped };
}

interface Variant {
  readonly axis: Axis;
  readonly what: string;
  readonly batch: number;
  /** Throws GraphError where the graph cannot be so. */
  graph(): Graph;
}

function variantsOf(source: GraphSource, { batches }: ScalingJob): readonly Variant[] {
  const { graph, label } = source;
  const base = batches[0] ?? 1;
  const sizes = SIZE_FACTORS.map((factor) => graph.image_size.map((n) => Math.round(n * factor)));
  return [
    ...(batches.length > 1 ? batches : BATCHES).map(
      (batch): Variant => ({ axis: 'batch', what: String(batch), batch, graph: () => graph }),
    ),
    ...sizes.map(
      (size): Variant => ({
        ...{ axis: 'pixels', what: size.join('x'), batch: base },
        graph: () => source.resize(size).graph,
      }),
    ),
    ...widthsOf(label).map(
      ({ channels, text }): Variant => ({
        ...{ axis: 'width', what: String(channels), batch: base },
        graph: () => loadGraph(text, label, { size: graph.image_size }).graph,
      }),
    ),
  ];
}

/** The texts of a compact graph in other widths; none for the explicit form, which has no one width. */
function widthsOf(file: string): readonly { readonly channels: number; readonly text: string }[] {
  const json = JSON.parse(fs.readFileSync(file, 'utf8')) as { readonly unet?: { model_channels?: number } };
  const { unet } = json;
  if (unet?.model_channels === undefined) return [];
  return WIDTH_FACTORS.map((factor) => {
    const channels = Math.round(unet.model_channels! * factor);
    return { channels, text: JSON.stringify({ ...json, unet: { ...unet, model_channels: channels } }) };
  });
}

/** `rate` is that of the point before, in operations a millisecond. */
async function measure(
  variant: Variant,
  target: Target,
  { options, runs }: ScalingJob,
  rate: number | null,
): Promise<{ readonly adapter: string; readonly point: Omit<ScalingPoint, 'axis'> }> {
  const { batch } = variant;
  const graph = variant.graph();
  const { strict = false, precision = 'f32', memory } = options;
  const { bundle, ops } = compileGraph(graph, {
    batch,
    target,
    strict,
    precision,
    memoryLimit: memory,
  });
  const { manifest } = bundle;
  checkMemory(manifest, memory, 'graph');
  const flops = sum(manifest.dispatches.map((dispatch) => dispatch.flops));
  if (rate !== null && flops / rate > LONGEST_MS) {
    throw new UsageError(`a pass would take some ${Math.round(flops / rate / 1000)} s`);
  }
  const opened = await openDevice({
    requires: manifest.requires,
    timeout: options.timeout,
    toggles: trustedToggles(target.name),
    disabledToggles: needlessToggles(target.name),
  });
  const weights = openWeights('hash:1');
  const { read } = matchWeights(parameters(graph), weights);
  const { program, close } = await openCompiled(bundle, read, opened);
  try {
    const inputs = exampleInputs(program.interface);
    const times: number[] = [];
    for (let run = -1; run < runs; run++) {
      const begin = performance.now();
      await program.run(inputs);
      if (run >= 0) times.push(performance.now() - begin);
    }
    const point = {
      ...{ batch, image_size: graph.image_size, width: widthOf(manifest) },
      ...{ ms_median: median(times), ms_min: Math.min(...times) },
      ...{ flops, attention_flops: 2 * countMacs(ops).attention },
    };
    return { adapter: adapterLine(opened.adapter), point };
  } finally {
    await close();
  }
}

/** Output channels of the first convolution. */
function widthOf({ parameters: all }: Manifest): number {
  return all.find(({ name }) => name === 'input_blocks.0.0.weight')!.shape[0]!;
}
