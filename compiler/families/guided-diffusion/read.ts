// Reads a checkpoint as a model of guided-diffusion: by the keyword arguments that make its blocks. Its tensors have the
// names of improved-diffusion's, and blocks that no keywords make are read there.

import { FORMAT_VERSION } from '../../format/common.ts';
import type { Candidate, JsonObject, Reading, Undetermined, Unread } from '../family.ts';
import { fitKeywords } from '../improved-diffusion/fit-keywords.ts';
import { likelySize, readImages, toldBy, whyNot } from '../improved-diffusion/read.ts';
import { type ReadModel, readBlocks } from '../improved-diffusion/read-blocks.ts';
import { groupTensors } from '../improved-diffusion/tensors.ts';
import { type Told, takenFrom, undeterminedKeys } from '../improved-diffusion/undetermined.ts';
import type { Tensors } from '../tensors.ts';
import { KNOWN_ADM, type KnownAdm, knownAdm, type ToldAdm } from './published.ts';

/** The width of a head in nearly every published model. */
const USUAL_HEAD = 64;

/** The graph that the tensors may be of, with what no shape tells guessed; or why they are of none. */
export function readCheckpoint(tensors: Tensors, name: string): Reading | Unread {
  const grouped = groupTensors(tensors);
  const model = readBlocks(grouped);
  if (model === null) return whyNot([...grouped.all.keys()]);
  return { tensors: grouped, candidates: [asKeywords(model, name)] };
}

function asKeywords(model: ReadModel, name: string): Candidate {
  const images = readImages(model);
  const adm = fitAdm(model, images.in_channels);
  const known = knownAdm(adm, images.superResolution);
  const told = toldBy(model, images);
  const alike = KNOWN_ADM.filter((one) => String(one.adm.channel_mult) === String(adm.channel_mult));
  const image_size = known?.image_size ?? likelySize(told.depth);
  const spec: JsonObject = {
    version: FORMAT_VERSION,
    name: known?.name ?? name,
    image_size,
    adm: { ...adm, ...(known ? known.adm : guessed(told)) },
    ...(images.superResolution && {
      super_resolution: { low_res_size: known?.super_resolution?.low_res_size ?? Math.ceil(image_size / 4) },
    }),
    ...(known && { diffusion: known.diffusion }),
  };
  const own = admKeys(told, known);
  return { spec, undetermined: undeterminedKeys(told, { section: '/adm', known, alike, own }) };
}

/** The keyword arguments that shapes tell. Of a model that no arguments make, they are those of a similar one. */
export function fitAdm(model: ReadModel, in_channels: number): ToldAdm {
  const { model_channels, num_res_blocks, channel_mult, ...levels } = fitKeywords(model);
  return {
    in_channels,
    model_channels,
    out_channels: model.out_channels,
    num_res_blocks,
    ...levels,
    channel_mult: channel_mult.map((mult) => multiplier(mult, model_channels)),
    resblock_updown: model.blocks.input
      .flat()
      .some((layer) => layer.type === 'res_block' && layer.resample === 'down'),
  };
}

/** A multiplier that gives back the width which it was divided from, where a rounded quotient would lose a channel. */
function multiplier(quotient: number, model_channels: number): number {
  const width = Math.round(quotient * model_channels);
  return Math.trunc(quotient * model_channels) === width ? quotient : (width + 0.5) / model_channels;
}

function guessed({ mostHeads }: Told): JsonObject {
  const byWidth = mostHeads > 0 && mostHeads % USUAL_HEAD === 0;
  return {
    dropout: 0,
    num_heads: 1,
    num_head_channels: byWidth ? USUAL_HEAD : -1,
    use_new_attention_order: false,
  };
}

/** Guesses among the keywords of `adm`. */
function admKeys({ mostHeads }: Told, known: KnownAdm | undefined): readonly Undetermined[] {
  const from = (value: unknown, otherwise: string) => takenFrom(known, value) ?? otherwise;
  const { num_heads = 1, num_head_channels = -1, use_new_attention_order = false } = known?.adm ?? {};
  const heads = `a divisor of ${mostHeads}, and only where num_head_channels is -1; 4 in adm128 and adm-upsample256`;
  const width = `a divisor of ${mostHeads}, or -1 for heads by number; 64 in every published model but adm128 and adm-upsample256, which have num_heads`;
  const order =
    'as in training, or the output is garbage; false in every published model but that of 64x64 (adm64)';
  return [
    { key: '/adm/num_heads', hint: from(num_heads, heads) },
    { key: '/adm/num_head_channels', hint: from(num_head_channels, width) },
    { key: '/adm/use_new_attention_order', hint: from(use_new_attention_order, order) },
    { key: '/adm/num_heads_upsample', hint: '-1, as num_heads, in every published model' },
    { key: '/adm/dropout', hint: 'no effect on sampling' },
  ];
}
