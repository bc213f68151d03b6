// Turns what zod found into diagnostics: the place, the value found, what was expected and what to do.

import type { z } from 'zod';
import type { Diagnostic } from '../diagnostics.ts';
import { childPointer, type Json } from './json.ts';
import { nearestName } from './nearest.ts';

type Path = readonly PropertyKey[];

/** Keys of the original scripts, and of the other form, with what stands in their place here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  num_channels: 'use "model_channels"',
  learn_sigma: 'set "out_channels" to twice "in_channels" instead',
  class_cond: 'set "num_classes" instead',
  small_size: 'use "super_resolution": { "low_res_size": … }',
  large_size: 'use "image_size"',
  diffusion_steps: 'use "steps" in "diffusion"',
  predict_xstart: 'use "predict": "x_start" in "diffusion"',
  sigma_small: 'use "variance": "fixed_small" in "diffusion"',
  use_fp16: 'precision is chosen when the graph is compiled',
};

/** Where a value stands, from zod's path. */
export function pointerOf(path: Path): string {
  return path.reduce<string>((pointer, key) => childPointer(pointer, String(key)), '');
}

/** The value at a path; undefined where there is none. */
export function valueAt(root: Json, path: Path): Json | undefined {
  let value: Json | undefined = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, Json>>)[String(key)];
  }
  return value;
}

/**
 * One diagnostic for each place at fault. The schemas' messages say what was expected (see fields.ts).
 * `homes` tells of keys that are known in another object: key to the object's name.
 */
export function explainIssues(
  issues: readonly z.core.$ZodIssue[],
  root: Json,
  homes: ReadonlyMap<string, string>,
): readonly Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  const add = (code: string, pointer: string, message: string): void => {
    if (!found.has(pointer)) found.set(pointer, { severity: 'error', code, pointer, message });
  };
  for (const issue of issues) {
    const pointer = pointerOf(issue.path);
    if (issue.code === 'unrecognized_keys') {
      const known = issue.message.split(', ');
      for (const key of issue.keys) add('G008', childPointer(pointer, key), unknownKey(key, known, homes));
      continue;
    }
    const value = valueAt(root, issue.path);
    if (value === undefined) add('G007', pointer, `this key is missing; it holds ${issue.message}`);
    else add('G009', pointer, `found ${show(value)}, expected ${issue.message}${hint(value, issue.message)}`);
  }
  return [...found.values()];
}

function unknownKey(key: string, known: readonly string[], homes: ReadonlyMap<string, string>): string {
  const near = nearestName(key, known);
  if (near !== undefined) return `unknown key; did you mean "${near}"?`;
  const home = homes.get(key);
  if (home !== undefined) return `unknown key here; it belongs in "${home}"`;
  if (Object.hasOwn(ELSEWHERE, key)) return `unknown key; ${ELSEWHERE[key]}`;
  return `unknown key; known here are ${known.join(', ')}`;
}

/** What to do about a value that is nearly right. */
function hint(value: Json, expected: string): string {
  if (typeof value === 'string') {
    if (/integer|number|version/.test(expected) && value.trim() !== '' && Number.isFinite(Number(value))) {
      return `; write ${Number(value)} without quotes`;
    }
    if (/^(true|false)$/.test(value) && expected === 'true or false')
      return `; write ${value} without quotes`;
    const words = [...expected.matchAll(/"([^"]+)"/g)].map((m) => m[1]!);
    const near = nearestName(value, words);
    return near === undefined ? '' : `; did you mean "${near}"?`;
  }
  return '';
}

/** A value as a message shows it. */
function show(value: Json): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
