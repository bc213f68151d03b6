// Fills faulty fields with stand-ins, so that the rules of the family can still be checked on the others and
// all faults of a file are reported at once. Nothing is ever compiled from a repaired file.

import type { z } from 'zod';
import { FAMILY_KEYS, familyOf } from '../families/index.ts';
import type { Json } from '../format/json.ts';

type Mutable = { [key: string]: Json | Mutable };

/** Stand-ins for required fields; optional ones are dropped and take their defaults. */
const STAND_IN: Readonly<Record<string, Json>> = {
  version: 1,
  image_size: 32,
  in_channels: 3,
  out_channels: 3,
  low_res_size: 8,
  time_embed: { channels: 32, hidden: 128 },
  channels: 32,
  hidden: 128,
  ...Object.fromEntries(FAMILY_KEYS.map((key) => [key, familyOf(key).standIns])),
};

/** The stand-in of a key of the file, or of a field of a section: a family knows its keywords. */
function standInOf(key: string, section: string | null): Json | undefined {
  const family = FAMILY_KEYS.find((one) => one === section);
  return family === undefined ? STAND_IN[key] : familyOf(family).standIns[key];
}

/**
 * A copy of `file` without unknown keys and with stand-ins for faulty fields, and the names of these fields.
 * Null where the blocks of an explicit form are at fault: nothing can stand in for them.
 */
export function repair(
  file: Readonly<Record<string, Json>>,
  issues: readonly z.core.$ZodIssue[],
): { readonly file: Json; readonly guessed: ReadonlySet<string> } | null {
  const copy = structuredClone(file) as Mutable;
  const guessed = new Set<string>();
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') {
      const owner = issue.path.reduce<Mutable | undefined>(
        (o, key) => o?.[String(key)] as Mutable | undefined,
        copy,
      );
      if (owner) for (const key of issue.keys) delete owner[key];
      continue;
    }
    const [section, field] = issue.path.map(String);
    if (section === undefined || section === 'blocks') return null;
    const owner = copy[section];
    const inSection = field !== undefined && isObject(owner);
    const key = inSection ? field : section;
    standIn(inSection ? owner : copy, key, inSection ? section : null);
    guessed.add(key);
  }
  return { file: copy as Json, guessed };
}

function isObject(value: Json | Mutable | undefined): value is Mutable {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function standIn(owner: Mutable, key: string, section: string | null): void {
  const value = standInOf(key, section);
  if (value === undefined) delete owner[key];
  else owner[key] = value;
}
