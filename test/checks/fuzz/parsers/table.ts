// Every parser that the check calls.

import type { Parser } from '../parser.ts';
import { npy, npz, png } from './arrays.ts';
import { infer, safetensors, torch } from './checkpoints.ts';
import { cifar, idx, npyData, npzData, picture, progressTable, tensorData } from './data.ts';
import { diff } from './diffs.ts';
import { accepted, bundleManifest, manifest, renameMap, tuning } from './documents.ts';
import { compiled, graphJson, graphTypeScript } from './graphs.ts';
import { commandLines, gitSides, lists, measures, respacing, sampleWords } from './words.ts';

export const PARSERS: readonly Parser[] = [
  ...[graphJson, graphTypeScript, compiled, diff],
  ...[safetensors, torch, infer],
  ...[npy, npz, png],
  ...[idx, cifar, npzData, npyData, tensorData, picture, progressTable],
  ...[tuning, renameMap, accepted, manifest, bundleManifest],
  ...[lists, respacing, measures, gitSides, sampleWords, commandLines],
];

/** The parsers of a name, or all; throws where none is called so. */
export function parsersOf(name: string): readonly Parser[] {
  const found = name === '' ? PARSERS : PARSERS.filter((one) => one.name === name);
  if (found.length > 0) return found;
  throw new Error(`no parser is called ${name}; there are ${PARSERS.map((one) => one.name).join(', ')}`);
}
