// A job as the part of an address behind `#`, and back: the link that brings the same pictures back. It holds what `unetc
// sample` would be asked for by the same words, the model's digest, and for a model that upsamples the small picture itself.

import { RuntimeError } from '../runtime/errors.ts';
import { rangesOf, readNumbers } from '../runtime/number-list.ts';
import { optionsOf, SAMPLER_KINDS, SAMPLERS, samplerOf } from '../runtime/sampler/samplers/index.ts';
import type { Job } from './job.ts';

/** The longest small picture that a link carries, in bytes: 64x64 in colour. */
export const LONGEST_PICTURE = 64 * 64 * 3;

export interface Linked {
  readonly job: Job;
  /** The digest of the model that the link was made with; null where it has none. */
  readonly digest: string | null;
  /** Whether the job had a picture that is too large for a link. */
  readonly lacksPicture: boolean;
}

/** The fragment for a job, without its `#`. */
export function linkOf(job: Job, digest: string): string {
  const words = new URLSearchParams();
  words.set('seeds', rangesOf(job.seeds));
  if (job.labels.length > 0) words.set('labels', rangesOf(job.labels));
  words.set('sampler', job.sampler.kind);
  for (const [name, value] of Object.entries(optionsOf(job.sampler))) words.set(name, String(value));
  if (job.steps !== '') words.set('steps', job.steps);
  if (job.guidance !== null) words.set('guidance', String(job.guidance));
  if (job.classifier_scale !== null) words.set('scale', String(job.classifier_scale));
  if (job.low_res !== null) {
    words.set('picture', job.low_res.length > LONGEST_PICTURE ? 'own' : toText(job.low_res));
  }
  words.set('model', digest);
  return words.toString().replaceAll('%2C', ',');
}

/**
 * The job of a fragment, or null of one that asks for nothing. What it does not say is as in `usual`. Throws
 * RuntimeError('input') for a word that is off; whether the model can do it is for `checkJob`.
 */
export function readLink(fragment: string, usual: Job): Linked | null {
  const words = new URLSearchParams(fragment.replace(/^#/, ''));
  const seeds = words.get('seeds');
  if (seeds === null) return null;
  const labels = words.get('labels');
  const kind = words.get('sampler') ?? usual.sampler.kind;
  const known = SAMPLER_KINDS.find((one) => one === kind);
  if (known === undefined) throw off('sampler', kind, `one of ${SAMPLER_KINDS.join(', ')}`);
  const options = Object.keys(SAMPLERS[known].defaults).flatMap((name) => {
    return words.has(name) ? [[name, numberIn(words, name)] as const] : [];
  });
  const picture = words.get('picture');
  return {
    job: {
      seeds: listIn('seeds', seeds),
      labels: labels === null ? usual.labels : listIn('labels', labels),
      sampler: samplerOf(known, Object.fromEntries(options)),
      steps: words.get('steps') ?? '',
      guidance: words.has('guidance') ? numberIn(words, 'guidance') : null,
      classifier_scale: words.has('scale') ? numberIn(words, 'scale') : usual.classifier_scale,
      low_res: picture === null || picture === 'own' ? null : fromText(picture),
    },
    digest: words.get('model'),
    lacksPicture: picture === 'own',
  };
}

function listIn(name: string, text: string): readonly number[] {
  const list = readNumbers(text);
  if ('fault' in list) throw new RuntimeError('input', `${name}: ${list.fault}`);
  return list.numbers;
}

function numberIn(words: URLSearchParams, name: string): number {
  const text = words.get(name) ?? '';
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw off(name, text, 'a number');
  return value;
}

function off(name: string, found: string, expected: string): RuntimeError {
  return new RuntimeError('input', `the link's ${name}: found '${found}', expected ${expected}`);
}

/** Bytes in the alphabet of addresses (RFC 4648, section 5). */
function toText(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromText(text: string): Uint8Array {
  try {
    const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
  } catch {
    throw off('picture', text.slice(0, 20), 'letters, digits, - and _');
  }
}
