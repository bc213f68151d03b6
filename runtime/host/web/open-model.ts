// Opens a bundle with its weights wherever there is WebGPU: files are read, a device is asked for, and what comes of them is
// a model that is run, sampled and closed like one of the Node API.

import { adapterLine, type DeviceRequirements, joinRequirements } from '../../adapter.ts';
import type { Bundle, Manifest } from '../../bundle.ts';
import type { RuntimeError } from '../../errors.ts';
import { guidedModel } from '../../guided-model.ts';
import { type LoadedModel, loadedModel } from '../../loaded-model.ts';
import type { OpenedDevice } from '../../opened-device.ts';
import type { PipelineCache } from '../../pipelines.ts';
import { createProgram, type Program } from '../../program.ts';
import { type MatchedWeights, matchWeights } from '../../weights/match.ts';
import type { WeightSource } from '../../weights/source.ts';
import { checkWebGPU, openWebDevice, takeWebDevice } from './device.ts';
import { createFiles, type Files } from './files.ts';
import { openKept } from './kept.ts';
import { checkOpenOptions, type ModelFiles, type OpenModelOptions } from './open-options.ts';
import { readBundle } from './read-bundle.ts';
import { readWeights } from './read-weights.ts';
import { createTally } from './tally.ts';

/** A model on a device of a page, of Deno, or of any other host. */
export interface OpenedModel extends LoadedModel {
  readonly manifest: Manifest;
  /**
   * Resolves when the device is gone: to the error that says why and what to do, or to null after `close`. Whatever is under
   * way then rejects with the same error. Never rejects.
   */
  readonly lost: Promise<RuntimeError | null>;
}

/** Requests for a file in all, with pauses of 0.5, 1, 2, 4 and 8 seconds between them. */
const ATTEMPTS = 6;

/**
 * Opens a model. Files come from their servers, or from a cache where they have not changed; a download that breaks off goes
 * on where it broke off. Faults come in the order options, WebGPU, bundle, adapter, weights: where there is no WebGPU nothing
 * is downloaded.
 *
 * Throws UsageError for an option that is off; RuntimeError of kind `bundle`, `weights`, `adapter`, `input` (model and
 * classifier do not go together) or `gpu`; the signal's reason.
 */
export async function openModel(options: OpenModelOptions): Promise<OpenedModel> {
  checkOpenOptions(options);
  const { device, gpu, signal, onNote, classifier } = options;
  signal?.throwIfAborted();
  if (device === undefined) checkWebGPU(gpu);
  const notes: string[] = [];
  const note = (text: string) => {
    notes.push(text);
    onNote?.(text);
  };
  const ending = new AbortController();
  const either = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  const files = await filesFor(options, either, note);
  const reading = [options, ...(classifier ? [classifier] : [])].map((one) => readPart(one, files));
  let opened: OpenedDevice | null = null;
  const programs: Program[] = [];
  try {
    const bundles = await Promise.all(reading.map(({ bundle }) => bundle));
    const requires = joinRequirements(bundles.map(({ manifest }) => manifest.requires));
    opened = await openOn(options, requires);
    either.throwIfAborted();
    const matched = await Promise.all(reading.map(({ matched }) => matched));
    const pipelines = counted(opened.pipelines, bundles, options);
    for (const [i, { read, notes, source }] of matched.entries()) {
      for (const text of notes) note(`${source.label}: ${text}`);
      either.throwIfAborted();
      programs.push(await createProgram(bundles[i]!, read, opened, { cache: pipelines }));
      source.close();
    }
    either.throwIfAborted();
    return modelOf(programs, opened, notes);
  } catch (error) {
    ending.abort(error);
    for (const program of programs) program.close();
    await opened?.close();
    throw error;
  }
}

async function filesFor(
  { fetch: get = fetch, cache = true, digests, onProgress }: OpenModelOptions,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<Files> {
  const tally = createTally((progress) => onProgress?.(progress));
  const kept = await openKept(cache, note);
  return createFiles({ get, attempts: ATTEMPTS, signal, kept, digests, tally, note });
}

interface Part {
  readonly bundle: Promise<Bundle>;
  readonly matched: Promise<MatchedWeights & { readonly source: WeightSource }>;
}

/** Reads a bundle and its weights side by side. Whoever waits for one of them hears of its fault. */
function readPart({ bundle: of, weights, allowUnexpected }: ModelFiles, files: Files): Part {
  const bundle = readBundle(of, files);
  const reading = readWeights(weights, files);
  const matched = Promise.all([bundle, reading]).then(([{ manifest }, source]) => ({
    ...matchWeights(manifest.parameters, source, { allowUnexpected }),
    source,
  }));
  for (const one of [bundle, reading, matched]) one.catch(() => undefined);
  return { bundle, matched };
}

async function openOn(
  { device, gpu, powerPreference, timeout }: OpenModelOptions,
  requires: DeviceRequirements,
): Promise<OpenedDevice> {
  if (device !== undefined) return takeWebDevice(device, requires, { timeout: timeout ?? null });
  return openWebDevice({
    requires,
    gpu,
    timeout: timeout ?? null,
    ...(powerPreference && { powerPreference }),
  });
}

/** Pipelines that tell how many of them are compiled. */
function counted(
  pipelines: PipelineCache,
  bundles: readonly Bundle[],
  { onProgress }: OpenModelOptions,
): PipelineCache {
  const total = bundles.reduce((sum, { manifest }) => sum + manifest.kernels.length, 0);
  let done = 0;
  return {
    get(file, wgsl) {
      const compiling = pipelines.get(file, wgsl);
      compiling.then(
        () => onProgress?.({ stage: 'compile', done: ++done, total }),
        () => undefined,
      );
      return compiling;
    },
  };
}

function modelOf(
  [program, classifier]: readonly Program[],
  opened: OpenedDevice,
  notes: readonly string[],
): OpenedModel {
  const { manifest } = program!;
  const guided = classifier && guidedModel(program!, classifier);
  const model = loadedModel({
    model: guided ?? program!,
    name: manifest.name,
    adapter: adapterLine(opened.adapter),
    diffusion: manifest.diffusion,
    notes,
    async close() {
      guided?.close();
      classifier?.close();
      program!.close();
      await opened.close();
    },
  });
  return { ...model, manifest, lost: opened.lost };
}
