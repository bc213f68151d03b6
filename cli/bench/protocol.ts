// What the bench and its engines say to each other. Every engine is a process of its own, so that its start and its
// memory can be measured and engines cannot disturb each other; it gets its job as one argument, commands as lines on
// stdin (`run`, `write`, `end`), and answers with lines of JSON on stdout. Other lines there are drivers talking.

import type { ModelOptions } from '../../engine/model/open-model.ts';
import type { Failure } from '../exit.ts';

/** The peers by their names on the command line. */
export const PEERS = [
  'ort-cpu',
  'ort-webgpu',
  'ort-wasm',
  'torch',
  'torch-f16',
  'torch-channels-last',
  'torch-compile',
] as const;

export type Peer = (typeof PEERS)[number];
export type EngineName = 'unetc' | Peer;

/** PyTorch: eager in float32, in float16, that with channels last, that compiled. */
export type TorchPeer = Extract<Peer, `torch${string}`>;

export function isTorch(engine: EngineName): engine is TorchPeer {
  return engine.startsWith('torch');
}

/** Engines that run on the GPU adapter and so depend on its driver's cache. */
export const ON_GPU: readonly EngineName[] = ['unetc', 'ort-webgpu'];

export interface EngineJob {
  readonly engine: EngineName;
  /** Graph file or bundle folder. */
  readonly model: string;
  readonly settings: Omit<ModelOptions, 'weights'>;
  /** The weights as safetensors, and the same in an ONNX model; null where no peer needs it. */
  readonly weights: string;
  readonly onnx: string | null;
  /** Keyword arguments of UNetModel; null where the graph has no such form. */
  readonly unet: Readonly<Record<string, unknown>> | null;
  /** A safetensors file of the inputs, and where the output of the first pass goes. */
  readonly inputs: string;
  readonly output: string;
  /** Where a run is a step of training: how much of images and noise the noised images are, a number a sample. Else null. */
  readonly training: { readonly signal: readonly number[]; readonly noise: readonly number[] } | null;
  /** Threads of engines that compute on the processor. */
  readonly threads: number;
}

/** The first pass is done. */
export interface Ready {
  readonly reply: 'ready';
  /** Which engine this is, with its version, and what it computes on. */
  readonly version: string;
  readonly device: string;
  /** Only of unetc. */
  readonly program?: ProgramFacts;
}

/** What was compiled. */
export interface ProgramFacts {
  readonly target: string;
  readonly precision: string;
  readonly driver: string;
  readonly dispatches: number;
  readonly pipelines: number;
  readonly flops: number;
}

export type Reply =
  | Ready
  | { readonly reply: 'ran'; readonly ms: number }
  /** The output of the first pass is in its file. */
  | { readonly reply: 'written' }
  | { readonly reply: 'done'; readonly rss_peak_bytes: number }
  /** The engine is not on this system: no fault. */
  | { readonly reply: 'absent'; readonly message: string }
  | FailedReply;

/** What went wrong, as `describeFailure` tells it. */
export interface FailedReply extends Pick<Failure, 'message' | 'file' | 'diagnostics'> {
  readonly reply: 'failed';
  readonly kind: string;
}

/** The reply in a line of an engine's stdout, or null where it is something else. */
export function parseReply(line: string): Reply | null {
  if (!line.startsWith('{"reply":')) return null;
  try {
    return JSON.parse(line) as Reply;
  } catch {
    return null;
  }
}
