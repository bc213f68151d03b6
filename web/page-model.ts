// What a page is told of its model before anything is loaded: model.json, written by `unetc web`, read by the page and its
// worker. With it a page shows what can be asked for, and how much there is to load, without the bundle.

import type { Denoiser } from '../runtime/sampler/denoiser.ts';
import type { DiffusionSettings } from '../runtime/sampler/process.ts';

/** The file's name in the folder of a page. */
export const PAGE_MODEL = 'model.json';

export interface PageModel {
  readonly format: 'unetc-page';
  readonly version: 1;
  /** The unetc that wrote the page. */
  readonly unetc: string;
  readonly name: string;
  /** What tells this model's pictures from another's: the first digits of a SHA-256 of graph, kernels and weights. */
  readonly digest: string;
  /** What the model takes and gives, its classifier's classes included. */
  readonly denoiser: Denoiser;
  readonly diffusion: DiffusionSettings;
  readonly model: PagePart;
  readonly classifier: (PagePart & { readonly scale: number }) | null;
  /** What classes are called, in their order; null where they are numbers. */
  readonly names: readonly string[] | null;
  /** The class that the model was taught to mean none; null where classifier-free guidance has nothing to go from. */
  readonly null_class: number | null;
}

/** A bundle with its weights, as paths from the page. */
export interface PagePart {
  /** The bundle's folder. */
  readonly bundle: string;
  /** What the GPU keeps of it, in bytes. */
  readonly memory: number;
  /** The checkpoint's address: a file of tensors, or the index of its shards. */
  readonly weights: string;
  /** SHA-256 of the bundle's manifest and of all files of the checkpoint, by their paths from the page. */
  readonly digests: Readonly<Record<string, string>>;
  /** Bytes of the checkpoint. */
  readonly bytes: number;
}
