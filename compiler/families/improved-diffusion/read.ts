// Reads a checkpoint as a model of improved-diffusion: by the keyword arguments that make its blocks, and by the blocks.

import { FORMAT_VERSION } from '../../format/common.ts';
import { LIMITS } from '../../format/fields.ts';
import { levelsDown, writtenLayer } from '../../layers/queries.ts';
import type { Candidate, JsonObject, Reading, Unread } from '../family.ts';
import type { Tensors } from '../tensors.ts';
import { fitKeywords } from './fit-keywords.ts';
import { KNOWN_GRAPHS, knownGraph } from './published.ts';
import { type ReadModel, readBlocks } from './read-blocks.ts';
import { groupTensors } from './tensors.ts';
import { blockKeys, type Told, undeterminedKeys, unetKeys } from './undetermined.ts';

/** Channels of a model's images, as many as the published models and latents have: what a first guess is among. */
const USUAL_CHANNELS = [1, 3, 4];

/** What no model of the family is without. */
const ANCHORS = ['time_embed.0.weight', 'input_blocks.0.0.weight', 'out.2.weight'] as const;

/** The graphs that the tensors may be of, with what no shape tells guessed; or why they are of none. */
export function readCheckpoint(tensors: Tensors, name: string): Reading | Unread {
  const grouped = groupTensors(tensors);
  const model = readBlocks(grouped);
  if (model === null) return whyNot([...grouped.all.keys()]);
  return { tensors: grouped, candidates: [asKeywords(model, name), asBlocks(model, name)] };
}

function asKeywords(model: ReadModel, name: string): Candidate {
  const images = readImages(model);
  const { model_channels, num_res_blocks, ...levels } = fitKeywords(model);
  const unet = {
    in_channels: images.in_channels,
    model_channels,
    out_channels: model.out_channels,
    num_res_blocks,
    ...levels,
  };
  const known = knownGraph(unet, images.superResolution);
  const told = toldBy(model, images);
  const alike = KNOWN_GRAPHS.filter((one) => String(one.unet.channel_mult) === String(unet.channel_mult));
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
  const own = unetKeys(told, known);
  return { spec, undetermined: undeterminedKeys(told, { section: '/unet', known, alike, own }) };
}

function asBlocks(model: ReadModel, name: string): Candidate {
  const images = readImages(model);
  const told = toldBy(model, images);
  const { input, middle, output } = model.blocks;
  const image_size = likelySize(told.depth);
  const block = (layers: ReadModel['blocks']['middle']) => ({
    layers: layers.map(writtenLayer),
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
  const hints = { section: '', known: undefined, alike: [], own: blockKeys(told) } as const;
  return { spec, undetermined: undeterminedKeys(told, hints) };
}

/** How the channels that a model takes divide into images. */
export interface Images {
  readonly in_channels: number;
  readonly superResolution: boolean;
  readonly eitherSuperResolution: boolean;
}

/**
 * A model takes as many channels as an image has, or with super-resolution twice as many: an even number can be both.
 * The likelier reading is the one whose model gives as many as an image has, or twice as many.
 */
export function readImages({ entry, out_channels }: ReadModel): Images {
  const half = entry / 2;
  const eitherSuperResolution = entry % 2 === 0;
  const usual = out_channels === entry && !USUAL_CHANNELS.includes(entry) && USUAL_CHANNELS.includes(half);
  const superResolution = eitherSuperResolution && (out_channels === half || usual);
  return { in_channels: superResolution ? half : entry, superResolution, eitherSuperResolution };
}

/** What the hints on a model depend on. */
export function toldBy({ dims, blocks, out_channels }: ReadModel, { in_channels, ...images }: Images): Told {
  const layers = [...blocks.input, blocks.middle, ...blocks.output].flat();
  const attended = layers.flatMap((layer) => (layer.type === 'attention' ? [layer.channels] : []));
  const depth = levelsDown(blocks.input.flat());
  return {
    ...images,
    dims,
    depth,
    mostHeads: attended.reduce(gcd, 0),
    learned: out_channels === 2 * in_channels,
  };
}

/** Eight pixels are left at the deepest level of every published model. */
export function likelySize(depth: number): number {
  return 2 ** depth * (8 * 2 ** depth <= LIMITS.size ? 8 : 1);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** What speaks against tensors of which `readBlocks` makes nothing. */
export function whyNot(names: readonly string[]): Unread {
  const missing = ANCHORS.filter((name) => !names.includes(name));
  if (missing.length === 0) {
    return { fault: 'input_blocks.0.0.weight is no convolution in 1, 2 or 3 dimensions', foreign: false };
  }
  const inside = names.find((name) => name.endsWith(`.${ANCHORS[0]}`));
  if (inside !== undefined) {
    const prefix = inside.slice(0, -ANCHORS[0].length);
    const stranger = names.find((name) => !name.startsWith(prefix));
    const fault = `the names of a model begin with ${JSON.stringify(prefix)} here, but others do not, such as ${JSON.stringify(stranger)}; save the model's tensors alone`;
    return { fault, foreign: false };
  }
  const fault = `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing, which every model of improved-diffusion has`;
  return { fault, foreign: missing.length === ANCHORS.length };
}
