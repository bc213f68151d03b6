// What a page and its worker tell each other.

import type { RuntimeErrorKind } from '../runtime/errors.ts';
import type { Job } from './job.ts';
import type { PageModel } from './page-model.ts';

/** What the page asks for. */
export type Request =
  /** Comes first: the model, and the address that its paths are relative to. */
  | { readonly kind: 'model'; readonly model: PageModel; readonly base: string }
  /** Gets the model ready without drawing; with `kept` only where nothing has to be downloaded for it. */
  | { readonly kind: 'open'; readonly kept: boolean }
  | { readonly kind: 'draw'; readonly run: number; readonly job: Job }
  /** Goes on with the run that was stopped last. */
  | { readonly kind: 'resume'; readonly run: number }
  | { readonly kind: 'stop' };

/** A picture as a canvas takes it. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and opacity of each pixel. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** The guess at a picture after one of its steps, or the picture itself. */
export interface Placed {
  /** Which of the job's seeds. */
  readonly position: number;
  readonly picture: Picture;
}

/** What the worker tells. */
export type Told =
  /** Whether the weights are here from another visit. */
  | { readonly kind: 'kept'; readonly isKept: boolean }
  /** Bytes that are there, of weights and bundles. */
  | { readonly kind: 'loading'; readonly loaded: number }
  | { readonly kind: 'compiling'; readonly done: number; readonly total: number }
  /** `downloaded` are bytes that came from the server in this visit. */
  | { readonly kind: 'ready'; readonly adapter: string; readonly downloaded: number }
  | {
      readonly kind: 'step';
      readonly run: number;
      /** Steps of all batches that are done. */
      readonly done: number;
      readonly total: number;
      /** Steps that these pictures have behind them, and will have. */
      readonly step: number;
      readonly steps: number;
      readonly guesses: readonly Placed[];
    }
  | {
      readonly kind: 'sample';
      readonly run: number;
      readonly placed: Placed;
      /** x_0, [C, ...space], as `unetc sample --format safetensors` keeps it. */
      readonly values: Float32Array<ArrayBuffer>;
    }
  | { readonly kind: 'done'; readonly run: number; readonly seconds: number }
  | { readonly kind: 'stopped'; readonly run: number }
  /** Something that is not as it should be, and is gone on in spite of. */
  | { readonly kind: 'note'; readonly about: NoteKind; readonly text: string }
  | { readonly kind: 'failed'; readonly run: number | null; readonly fault: Fault };

export type NoteKind = 'model' | 'lost' | 'tabs';

export interface Fault {
  /** `internal` is our own bug. */
  readonly kind: RuntimeErrorKind | 'internal';
  readonly message: string;
}
