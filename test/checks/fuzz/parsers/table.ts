// Every parser that the check calls.

import type { Parser } from '../parser.ts';
import { npy, npz, png } from './arrays.ts';
import { infer, safetensors, torch } from './checkpoints.ts';
import { cifar, idx, npyData, npzData, picture, progressTable, tensorData } from './data.ts';
import { diff } from './diffs.ts';
import {
  accepted,
  boundsManifest,
  bundleManifest,
  chains,
  manifest,
  renameMap,
  runManifest,
  tuning,
} from './documents.ts';
import { compiled, graphJson, graphTypeScript } from './graphs.ts';
import { imported } from './imports.ts';
import { commandLines, gitSides, lists, measures, respacing, sampleWords } from './words.ts';

export const PARSERS: readonly Parser[] = [
  ...[graphJson, graphTypeScript, compiled, diff],
  ...[safetensors, torch, infer],
  ...[npy, npz, png],
  ...[idx, cifar, npzData, npyData, tensorData, picture, progressTable],
  ...[tuning, renameMap, accepted, manifest, bundleManifest, chains],
  ...[boundsManifest, runManifest, imported],
  ...[lists, respacing, measures, gitSides, sampleWords, commandLines],
];

/** The parsers of these names, separated by commas, or all; throws where none is called so. */
export function parsersOf(names: string): readonly Parser[] {
  if (names === '') return PARSERS;
  return names.split(',').map((name) => {
    const found = PARSERS.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new Error(`no parser is called ${name}; there are ${PARSERS.map((one) => one.name).join(', ')}`);
  });
}
