// A folder of diffusers to a graph: finds its files, reads them, and checks what they come to.

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type Diagnostic, GraphError } from '../../compiler/diagnostics.ts';
import type { JsonObject } from '../../compiler/families/family.ts';
import { type JsonText, readJson } from '../../compiler/format/json.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { importConfig } from '../../compiler/import/config.ts';
import { importScheduler } from '../../compiler/import/scheduler.ts';
import { pathKind } from '../../runtime/host/node/files.ts';
import { readGraphFile } from '../graph/graph-file.ts';
import { type Host, warnAll } from '../host.ts';

export interface ImportOptions {
  /** Image size, slowest dimension first; one number stands for both. Default: the config's sample_size. */
  readonly size?: readonly number[] | undefined;
  /** What the graph is called. Default: the folder's name. */
  readonly name?: string | undefined;
  /** A scheduler's file instead of the one beside the config; `none` leaves the process out. */
  readonly scheduler?: string | undefined;
}

/** The graph of a folder, and where what it was made of was found. */
export interface ImportedFolder {
  /** A graph file as JSON. */
  readonly spec: JsonObject;
  readonly graph: Graph;
  readonly config: string;
  /** Null where there was none. */
  readonly scheduler: string | null;
  /** The checkpoint of the model; null where there is none beside the config. */
  readonly weights: string | null;
}

/**
 * Imports a folder of a UNet2DModel or of a pipeline with one. Throws GraphError with every fault of the file that is at
 * fault: one that is missing, no JSON, of another class, or that says what no graph can express.
 */
export function importFolder(
  folder: string,
  { size, name, scheduler: said }: ImportOptions,
  host: Pick<Host, 'note' | 'warn'>,
): ImportedFolder {
  const config = findConfig(folder);
  const home = path.dirname(config);
  const model = jsonOf(config);
  const asked = size?.length === 1 ? [size[0]!, size[0]!] : size;
  const called = (name ?? nameOf(home)).replace(/\p{C}/gu, '').slice(0, 100) || 'imported';
  const imported = importConfig(model.value!, { name: called, size: asked });
  if ('faults' in imported) throw placed(imported.faults, model, config);
  const { spec, left, sized } = imported;
  if (left.length > 0) host.note(`${config}: left out what no UNet2DModel has: ${left.join(', ')}`);
  if (sized)
    host.note(`${config}: it names no sample_size; --size says what image_size is, here ${spec.image_size}`);

  // a size that was asked for stands in no file
  const places = asked === undefined ? { '/image_size': '/sample_size' } : {};
  const { graph, warnings } = checked(spec, { section: '/unet_2d', places }, model, config);
  const scheduler = said === 'none' ? null : (said ?? findScheduler(home));
  if (scheduler === null) {
    if (said !== 'none') {
      host.note(
        `${home}: there is no scheduler_config.json here nor in scheduler/, so that the graph says nothing of the process; --scheduler FILE names one`,
      );
    }
    warnAll(host, warnings, folder);
    return { spec, graph, config, scheduler, weights: findWeights(home) };
  }
  const text = jsonOf(scheduler);
  const process = importScheduler(text.value!, graph);
  if ('faults' in process) throw placed(process.faults, text, scheduler);
  for (const note of process.notes) host.note(`${scheduler}: ${note}`);
  const whole = { ...spec, diffusion: process.diffusion };
  const loaded = checked(whole, { section: '/diffusion', places: {} }, text, scheduler);
  warnAll(host, loaded.warnings, folder);
  return { spec: whole, graph: loaded.graph, config, scheduler, weights: findWeights(home) };
}

/** Where the model's config.json is: in the folder, in a pipeline's `unet`, or the file itself. Throws GraphError. */
function findConfig(folder: string): string {
  const fault = (message: string) =>
    new GraphError([{ severity: 'error', code: 'G000', pointer: '', message }], folder);
  const kind = pathKind(folder);
  if (kind === 'missing') throw fault('there is no such folder');
  if (kind !== 'folder') {
    if (/\.json$/.test(folder)) return folder;
    throw fault('this is a file; give the folder with its config.json');
  }
  const beside = namesOf(folder, fault);
  const places = ['unet/config.json', 'config.json'].map((file) => path.join(folder, file));
  const [inUnet, here] = places as [string, string];
  // a pipeline keeps its models in folders of their own, older ones the one model beside model_index.json
  const order = existsSync(path.join(folder, 'model_index.json')) ? [inUnet, here] : [here, inUnet];
  const found = order.find((file) => existsSync(file));
  if (found === undefined) {
    const shown = beside.slice(0, 8).join(', ');
    throw fault(
      `neither ${here} nor ${inUnet} is there${shown === '' ? '' : ` (found ${shown})`}; give the folder that save_pretrained wrote`,
    );
  }
  return found;
}

function namesOf(folder: string, fault: (message: string) => GraphError): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw fault(`the folder cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** A scheduler's file beside the config, in `scheduler` there, or in that of the pipeline whose `unet` it is. */
function findScheduler(home: string): string | null {
  const inPipeline = /^unet/.test(path.basename(path.resolve(home)));
  const places = [
    home,
    path.join(home, 'scheduler'),
    ...(inPipeline ? [path.join(home, '..', 'scheduler')] : []),
  ];
  const files = places.map((place) => path.join(place, 'scheduler_config.json'));
  return files.find((file) => existsSync(file)) ?? null;
}

/** Checkpoints as save_pretrained calls them, those of full precision first. */
const WEIGHTS = [
  /^diffusion_pytorch_model\.safetensors$/,
  /^diffusion_pytorch_model\.safetensors\.index\.json$/,
  /^diffusion_pytorch_model\.bin$/,
  /^diffusion_pytorch_model\.bin\.index\.json$/,
  /^diffusion_pytorch_model\..+\.(safetensors|bin|safetensors\.index.*\.json)$/,
];

function findWeights(home: string): string | null {
  const files = readdirSync(home).toSorted();
  const found = WEIGHTS.map((pattern) => files.find((file) => pattern.test(file))).find(Boolean);
  return found === undefined ? null : path.join(home, found);
}

/** The last name of a path that says more than where in a pipeline it is. */
function nameOf(home: string): string {
  const parts = path.resolve(home).split(path.sep);
  const last = parts.at(-1) ?? '';
  return /^unet(_ema)?$/.test(last) ? (parts.at(-2) ?? last) : last;
}

/** A file's JSON. Throws GraphError with its faults. */
function jsonOf(file: string): JsonText {
  const text = readGraphFile(file);
  const json = typeof text === 'string' ? readJson(text) : text;
  if (json.value === undefined || json.faults.length > 0) throw new GraphError(json.faults, file);
  return json;
}

/** What of a graph a file says: the section that it is, and the places of what stands elsewhere in the graph. */
interface Origin {
  readonly section: string;
  readonly places: Readonly<Record<string, string>>;
}

/** The graph that the files come to; its faults in what `file` says are told at their place there. */
function checked(spec: JsonObject, origin: Origin, text: JsonText, file: string) {
  try {
    return loadGraph(JSON.stringify(spec), file);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const own = error.diagnostics.map(({ position: _, ...found }) => ({
      ...found,
      pointer: placeOf(found.pointer, origin),
    }));
    throw placed(own, text, file);
  }
}

/** A place of the graph in the file that it was made of. */
function placeOf(pointer: string, { section, places }: Origin): string {
  return places[pointer] ?? (pointer.startsWith(`${section}/`) ? pointer.slice(section.length) : pointer);
}

/** Faults with their lines and columns. */
function placed(faults: readonly Diagnostic[], { values, keys }: JsonText, file: string): GraphError {
  return new GraphError(
    faults.map((found) => {
      const position = keys.get(found.pointer) ?? values.get(found.pointer);
      return position ? { ...found, position } : found;
    }),
    file,
  );
}
