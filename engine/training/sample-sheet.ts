// A picture of what a model in training draws: samples by DDIM from its moving average, the same seeds every time.

import type { Graph } from '../../compiler/graph/graph.ts';
import { encodePng } from '../../runtime/host/node/png.ts';
import { contactSheet } from '../../runtime/image/contact-sheet.ts';
import { toPixels } from '../../runtime/image/pixels.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import type { SampleRequest } from '../../runtime/sampler/request.ts';
import { sample } from '../../runtime/sampler/sample.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { elements } from '../../runtime/tensor.ts';
import { weightsInMemory } from '../../runtime/weights/memory.ts';
import type { Batch } from '../data/batch.ts';
import { silentHost } from '../host.ts';
import type { GraphSource } from '../model/model-source.ts';
import { openSource } from '../model/open-model.ts';
import type { ProgramOptions } from '../model/open-program.ts';

const SAMPLES = 16;
const BATCH = 8;
/** DDIM's steps: enough to see what was learned. */
const STEPS = 50;

export interface SheetRequest {
  readonly source: GraphSource;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** A batch that has small images, where the model is for super-resolution. */
  readonly conditions: Pick<Batch, 'low_res'> | null;
  readonly device: ProgramOptions;
  readonly reference: boolean;
  readonly signal: AbortSignal;
}

/** A PNG. Rejects with the reason of the signal, and as `sample` does. */
export async function sampleSheet(request: SheetRequest): Promise<Uint8Array> {
  const { source, weights, conditions, device, reference, signal } = request;
  const { graph } = source;
  const requests = requestsFor(graph, conditions);
  const { target, tuning, strict, timeout } = device;
  const options = { target, tuning, strict, timeout, reference, batch: BATCH };
  const opened = await openSource(source, weightsInMemory(weights), options, silentHost());
  try {
    const steps = String(Math.min(STEPS, graph.diffusion.steps));
    const process = diffusionProcess(graph.diffusion, steps);
    const items = [];
    for await (const { image, request: of } of sample(opened.model, requests, {
      process,
      sampler: { kind: 'ddim', eta: 0 },
      signal,
    })) {
      items.push({ pixels: toPixels(image), ...(of.label === undefined ? {} : { label: String(of.label) }) });
    }
    return encodePng(contactSheet(items));
  } finally {
    await opened.close();
  }
}

function requestsFor(graph: Graph, conditions: SheetRequest['conditions']): readonly SampleRequest[] {
  const small = conditions?.low_res;
  const each = small === undefined ? 0 : elements(small.shape.slice(1));
  const rows = small === undefined ? 1 : small.shape[0]!;
  return Array.from({ length: SAMPLES }, (_, seed) => ({
    seed,
    ...(graph.num_classes === null ? {} : { label: seed % graph.num_classes }),
    ...(small === undefined
      ? {}
      : { low_res: small.data.slice((seed % rows) * each, ((seed % rows) + 1) * each) }),
  }));
}
