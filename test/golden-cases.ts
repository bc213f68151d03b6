// The golden forward passes as graph files: what the originals were built with, in the compact form.

import { readFileSync } from 'node:fs';
import type { Json } from '../compiler/format/json.ts';

export const GOLDEN = new URL('./golden/', import.meta.url);

export const GOLDEN_NAMES = [
  'tiny-film',
  'tiny-additive-class',
  'tiny-heads-up',
  'tiny-conv-transpose',
  'tiny-superres',
  'tiny-1d',
  'tiny-3d',
  'odd-14x14',
  'cifar10',
] as const;

/** Those of guided-diffusion. */
export const ADM_NAMES = [
  'adm/updown',
  'adm/updown-1d',
  'adm/updown-3d',
  'adm/updown-additive-new-order',
  'adm/half-mult',
  'adm/superres-updown',
] as const;

/** Those of diffusers. */
export const DIFFUSERS_NAMES = [
  'diffusers/ddpm',
  'diffusers/plain',
  'diffusers/scale-shift-class',
  'diffusers/scale-shift-attention',
  'diffusers/resnet-resample',
] as const;

export const ALL_NAMES = [...GOLDEN_NAMES, ...ADM_NAMES, ...DIFFUSERS_NAMES] as const;

/** The classifiers of guided-diffusion. */
export const CLASSIFIER_NAMES = [
  'adm/classifier-adaptive',
  'adm/classifier-attention',
  'adm/classifier-spatial',
  'adm/classifier-spatial-v2',
] as const;

/** case.json of a golden folder. Of diffusers' cases the keywords are their config.json. */
export interface GoldenCase {
  readonly name: string;
  readonly kwargs: Readonly<Record<string, Json>>;
  readonly upsample?: 'conv-transpose';
  readonly weights: { readonly init: 'hash'; readonly seed: number };
  readonly inputs: {
    readonly x: readonly number[];
    readonly timesteps: readonly number[];
    readonly y?: readonly number[];
    readonly low_res?: readonly number[];
  };
  readonly params: number;
  /** Of these and of `macs`, as the thop package counts them, cases of guided-diffusion have none. */
  readonly tensors?: number;
  readonly macs?: { readonly conv: number; readonly linear: number; readonly attention: number };
}

export function goldenCase(name: string): GoldenCase {
  const read = (file: string) => JSON.parse(readFileSync(new URL(`${name}/${file}`, GOLDEN), 'utf8'));
  const golden = read('case.json') as GoldenCase;
  if (!name.startsWith('diffusers/')) return golden;
  const kwargs = read('config.json') as {
    readonly in_channels: number;
    readonly sample_size: number | readonly number[];
  };
  const { sample_size } = kwargs;
  const size = typeof sample_size === 'number' ? [sample_size, sample_size] : sample_size;
  return { ...golden, kwargs, inputs: { x: [2, kwargs.in_channels, ...size], timesteps: [2] } };
}

/** The text of a compact graph file for a golden case. */
export function goldenGraph(name: string): string {
  const golden = goldenCase(name);
  const upsample = golden.upsample ? { upsample: 'conv_transpose' } : {};
  const lowRes = golden.inputs.low_res;
  return JSON.stringify({
    version: 1,
    name,
    image_size: golden.inputs.x.slice(2),
    [familyOfCase(name)]: { ...golden.kwargs, ...upsample },
    ...(lowRes ? { super_resolution: { low_res_size: lowRes.slice(2) } } : {}),
  });
}

/** The key of the family that a case is of. */
export function familyOfCase(name: string): string {
  if (name.startsWith('diffusers/')) return 'unet_2d';
  if (!name.startsWith('adm/')) return 'unet';
  return name.startsWith('adm/classifier-') ? 'adm_classifier' : 'adm';
}
