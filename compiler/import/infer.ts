// The graph that a checkpoint belongs to, from the names and shapes of its tensors alone: in the compact form where
// keyword arguments of the original make it, else in the explicit form.

import { type Diagnostic, GraphError } from '../diagnostics.ts';
import { buildGraph } from '../graph/build.ts';
import type { Graph } from '../graph/graph.ts';
import { FORMAT_VERSION } from '../spec/common.ts';
import { LIMITS } from '../spec/fields.ts';
import type { Json } from '../spec/json.ts';
import { checkFields } from '../spec/spec.ts';
import { fitCompact } from './fit-compact.ts';
import { foreignFamily } from './foreign.ts';
import { knownGraph } from './known-graphs.ts';
import { findMisfits, type Misfit } from './misfits.ts';
import { type ReadModel, readBlocks } from './read-blocks.ts';
import { type GroupedTensors, groupTensors } from './tensors.ts';
import { type Told, type Undetermined, undeterminedKeys } from './undetermined.ts';

type JsonObject = Readonly<Record<string, Json>>;

export interface InferResult {
  /** A graph file as JSON: the compact form, or the explicit form of what no keyword arguments make. */
  readonly spec: JsonObject;
  readonly graph: Graph;
  /** The keys of `spec` whose values are guesses. */
  readonly undetermined: readonly Undetermined[];
  /** What was taken off every tensor's name to read it; mostly nothing. */
  readonly prefix: string;
}

/** What messages call the checkpoint, and what the graph is called where it is none that is known. */
export interface InferNames {
  readonly file?: string;
  readonly name?: string;
}

/** Channels of a model's images, as many as the published models and latents have: what a first guess is among. */
const USUAL_CHANNELS = [1, 3, 4];

/** What no model of the family is without. */
const ANCHORS = ['time_embed.0.weight', 'input_blocks.0.0.weight', 'out.2.weight'] as const;

/** Faults that are written out; the rest is counted. */
const LISTED = 20;

/** Throws GraphError where the tensors are those of no model of the family. */
export function inferGraph(
  tensors: ReadonlyMap<string, readonly number[]>,
  { file = 'the checkpoint', name = 'inferred' }: InferNames = {},
): InferResult {
  const grouped = groupTensors(tensors);
  const model = readBlocks(grouped);
  if (model === null) throw new GraphError([notOfTheFamily(grouped)], file);
  const compact = inferCompact(model, name);
  const first = examine(compact.spec, grouped);
  if (first.graph) return { ...compact, graph: first.graph, prefix: grouped.prefix };
  const explicit = inferExplicit(model, name);
  const second = examine(explicit.spec, grouped);
  if (second.graph) return { ...explicit, graph: second.graph, prefix: grouped.prefix };
  const nearest = first.faults.length <= second.faults.length ? first : second;
  throw new GraphError(shortened(nearest.faults), file);
}

/** The graph of a candidate that has exactly these tensors, or what speaks against it. */
function examine(
  candidate: JsonObject,
  { all }: GroupedTensors,
): { readonly graph: Graph | null; readonly faults: readonly Diagnostic[] } {
  const read = checkFields(candidate);
  if (read.spec === null || read.faults.length > 0) return { graph: null, faults: read.faults };
  const { graph, diagnostics } = buildGraph(read.spec);
  if (graph === null) return { graph, faults: diagnostics.filter(({ severity }) => severity === 'error') };
  const faults = findMisfits(graph, all).map(explain);
  return { graph: faults.length === 0 ? graph : null, faults };
}

function inferCompact(model: ReadModel, name: string): Pick<InferResult, 'spec' | 'undetermined'> {
  const images = readImages(model);
  const { model_channels, num_res_blocks, ...levels } = fitCompact(model);
  const unet = {
    in_channels: images.in_channels,
    model_channels,
    out_channels: model.out_channels,
    num_res_blocks,
    ...levels,
  };
  const known = knownGraph(unet, images.superResolution);
  const told: Told = {
    ...toldBy(model, images),
    form: 'compact',
    channel_mult: unet.channel_mult,
  };
  const image_size = known?.image_size ?? likelySize(told.depth);
  const spec: JsonObject = {
    version: FORMAT_VERSION,
    name: known?.name ?? name,
    image_size,
    unet: {
      ...unet,
      dropout: 0,
      num_heads: known || told.mostHeads % 4 !== 0 || told.mostHeads === 0 ? 1 : 4,
      ...known?.unet,
    },
    ...(images.superResolution && {
      super_resolution: { low_res_size: known?.super_resolution?.low_res_size ?? Math.ceil(image_size / 4) },
    }),
    ...(known && { diffusion: known.diffusion }),
  };
  return { spec, undetermined: undeterminedKeys(told, known) };
}

function inferExplicit(model: ReadModel, name: string): Pick<InferResult, 'spec' | 'undetermined'> {
  const images = readImages(model);
  const told: Told = {
    ...toldBy(model, images),
    form: 'explicit',
    channel_mult: [],
  };
  const { input, middle, output } = model.blocks;
  const image_size = likelySize(told.depth);
  const block = (layers: ReadModel['blocks']['middle']) => ({
    layers: layers.map((layer) => ({ ...layer })),
  });
  const spec: JsonObject = {
    version: FORMAT_VERSION,
    name,
    dims: model.dims,
    image_size,
    in_channels: images.in_channels,
    out_channels: model.out_channels,
    num_classes: model.num_classes,
    time_embed: model.time_embed,
    ...(images.superResolution && { super_resolution: { low_res_size: Math.ceil(image_size / 4) } }),
    blocks: { input: input.map(block), middle: block(middle), output: output.map(block) },
  };
  return { spec, undetermined: undeterminedKeys(told, undefined) };
}

interface Images {
  readonly in_channels: number;
  readonly superResolution: boolean;
  readonly eitherSuperResolution: boolean;
}

/**
 * A model takes as many channels as an image has, or with super-resolution twice as many: an even number can be both.
 * The likelier reading is the one whose model gives as many as an image has, or twice as many.
 */
function readImages({ entry, out_channels }: ReadModel): Images {
  const half = entry / 2;
  const eitherSuperResolution = entry % 2 === 0;
  const usual = out_channels === entry && !USUAL_CHANNELS.includes(entry) && USUAL_CHANNELS.includes(half);
  const superResolution = eitherSuperResolution && (out_channels === half || usual);
  return { in_channels: superResolution ? half : entry, superResolution, eitherSuperResolution };
}

function toldBy(
  { dims, blocks, out_channels }: ReadModel,
  { in_channels, ...images }: Images,
): Omit<Told, 'form' | 'channel_mult'> {
  const layers = [...blocks.input, blocks.middle, ...blocks.output].flat();
  const attended = layers.flatMap((layer) => (layer.type === 'attention' ? [layer.channels] : []));
  const depth = blocks.input.flat().filter(({ type }) => type === 'downsample').length;
  return {
    ...images,
    dims,
    depth,
    mostHeads: attended.reduce(gcd, 0),
    learned: out_channels === 2 * in_channels,
  };
}

/** Eight pixels are left at the deepest level of every published model. */
function likelySize(depth: number): number {
  return 2 ** depth * (8 * 2 ** depth <= LIMITS.size ? 8 : 1);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function notOfTheFamily({ all }: GroupedTensors): Diagnostic {
  return { severity: 'error', code: 'G020', pointer: '', message: whyNot([...all.keys()]) };
}

function whyNot(names: readonly string[]): string {
  const family = foreignFamily(names);
  if (family !== null) return `this is ${family}, no model of improved-diffusion`;
  const missing = ANCHORS.filter((name) => !names.includes(name));
  if (missing.length === 0) return 'input_blocks.0.0.weight is no convolution in 1, 2 or 3 dimensions';
  const inside = names.find((name) => name.endsWith(`.${ANCHORS[0]}`));
  if (inside !== undefined) {
    const prefix = inside.slice(0, -ANCHORS[0].length);
    const stranger = names.find((name) => !name.startsWith(prefix));
    return `the names of a model begin with ${JSON.stringify(prefix)} here, but others do not, such as ${JSON.stringify(stranger)}; save the model's tensors alone`;
  }
  return `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing, which every model of improved-diffusion has`;
}

function explain({ kind, name, expected, found }: Misfit): Diagnostic {
  const shape = (sizes: readonly number[] | null): string => `[${sizes?.join(', ')}]`;
  const message = {
    missing: `this tensor is missing; what is around it wants one of ${shape(expected)}`,
    unexpected: `no layer of a model with the other tensors has this one of ${shape(found)}`,
    shape: `found ${shape(found)} where what is around it wants ${shape(expected)}`,
  }[kind];
  const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return { severity: 'error', code: 'G020', pointer, message };
}

function shortened(faults: readonly Diagnostic[]): readonly Diagnostic[] {
  if (faults.length <= LISTED) return faults;
  const message = `and ${faults.length - LISTED} more tensors that do not fit`;
  return [...faults.slice(0, LISTED), { severity: 'error', code: 'G020', pointer: '', message }];
}
