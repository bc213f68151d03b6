// The golden cases of classifier guidance: a model, its classifier and the process that both are sampled by.

import { loadGraph } from '../compiler/graph/load.ts';
import { DIFFUSION_DEFAULTS, type DiffusionSettings } from '../runtime/sampler/process.ts';
import type { Sampler } from '../runtime/sampler/samplers/index.ts';
import { type GoldenTensors, goldenJson, goldenTensors } from './golden-tensors.ts';

interface PartJson {
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly image_size: readonly number[];
  readonly weights: { readonly init: 'hash'; readonly seed: number };
}

interface CaseJson {
  readonly model: PartJson;
  readonly classifier: PartJson;
  readonly diffusion: Pick<
    DiffusionSettings,
    'steps' | 'noise_schedule' | 'predict' | 'variance' | 'rescale_timesteps'
  >;
  readonly spacing: string;
  readonly scale: number;
}

export interface GuidedCase {
  readonly name: string;
  readonly sampler: Sampler;
  readonly settings: DiffusionSettings;
  readonly respacing: string;
  readonly scale: number;
  /** Compact graph files, with the seeds of their weights. */
  readonly model: { readonly text: string; readonly seed: number };
  readonly classifier: { readonly text: string; readonly seed: number };
  readonly tensors: GoldenTensors;
  /** The steps whose x and samples are in the file. */
  readonly indices: readonly number[];
}

export const GUIDED_CASES: readonly GuidedCase[] = [
  guidedCase('guided-ddpm', { kind: 'ddpm' }),
  guidedCase('guided-ddim', { kind: 'ddim', eta: 0 }),
];

function guidedCase(name: string, sampler: Sampler): GuidedCase {
  const { model, classifier, diffusion, spacing, scale } = goldenJson<CaseJson>(`adm/${name}/case.json`);
  const file = (family: string, { kwargs, image_size, weights }: PartJson, more: object) => ({
    text: JSON.stringify({ version: 1, name: family, image_size, [family]: kwargs, ...more }),
    seed: weights.seed,
  });
  return {
    name,
    sampler,
    settings: { ...DIFFUSION_DEFAULTS, ...diffusion },
    respacing: spacing,
    scale,
    model: file('adm', model, { diffusion }),
    classifier: file('adm_classifier', classifier, {}),
    tensors: goldenTensors(`adm/${name}/expected.safetensors`),
    indices: [0, 5],
  };
}

/** The graph of a part. */
export function graphOf({ text }: GuidedCase['model']) {
  return loadGraph(text, 'golden').graph;
}

/** The rows of a tensor [N, ...]. */
export function rowsOf(tensors: GoldenTensors, name: string): readonly Float32Array[] {
  const { shape, data } = tensors(name);
  const length = data.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, k) =>
    Float32Array.from({ length }, (_v, i) => data[k * length + i]!),
  );
}
