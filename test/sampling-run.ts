// A sampling job on a fake model in a folder of its own, for tests of what `sample` writes.

import type { Context } from '../cli/context.ts';
import { jobHostOf } from '../cli/sample-progress.ts';
import { parseJob, parseProgress, type SampleWords } from '../cli/words/sample.ts';
import { type OpenModel, runSampling, type SampleResult } from '../engine/jobs/run.ts';
import type { GuidedOptions } from '../engine/model/open-guided.ts';
import { guidedModel } from '../runtime/guided-model.ts';
import type { Denoiser } from '../runtime/sampler/denoiser.ts';
import { DIFFUSION_DEFAULTS } from '../runtime/sampler/process.ts';
import { type FakeModel, fakeClassifier, fakeModel } from './fake-model.ts';
import { recordingContext } from './recording-context.ts';

const DIFFUSION = {
  ...DIFFUSION_DEFAULTS,
  steps: 100,
  noise_schedule: 'cosine',
  predict: 'epsilon',
  variance: 'fixed_large',
  rescale_timesteps: false,
} as const;

/** What became of a model that was opened. */
export interface Opened {
  model?: FakeModel;
  options?: GuidedOptions;
  closed: boolean;
}

/** Opens a fake model and keeps it, with the options it was opened with. */
export function fakeOpener(
  face: Partial<Denoiser> = {},
  poison?: (output: Float32Array, pass: number) => void,
): { readonly open: OpenModel; readonly opened: Opened } {
  const opened: Opened = { closed: false };
  const open: OpenModel = async (_path, options) => {
    opened.options = options;
    opened.model = fakeModel({ ...face, ...(options.batch ? { batch: options.batch } : {}) }, poison);
    const graph = { name: 'fake', diffusion: DIFFUSION };
    const { batch } = opened.model.interface;
    const model = options.classifier ? guidedModel(opened.model, fakeClassifier({ batch })) : opened.model;
    await options.check?.(model.interface, graph);
    const beside = options.classifier && { classifier: 'another', classifier_kernels: 'its own' };
    return {
      model,
      hashes: { graph: 'a graph', kernels: 'its kernels', ...beside },
      graph,
      adapter: 'no adapter',
      precision: options.precision ?? 'f32',
      close: () => {
        opened.closed = true;
      },
    };
  };
  return { open, opened };
}

/** The words of four DDPM steps into `out`, with `more`. */
export function sampleWords(out: string, more: Partial<SampleWords>): SampleWords {
  return { weights: 'hash:1', output: out, steps: '4', ...more };
}

export function runFake(
  words: SampleWords,
  open: OpenModel = fakeOpener().open,
  context: Context = recordingContext(),
): Promise<SampleResult> {
  return runSampling(parseJob('graph.json', words), jobHostOf(context, parseProgress(words)), open);
}
