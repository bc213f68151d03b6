// The graph that a checkpoint file belongs to, and whether one belongs to a graph.

import { existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { GraphError, InternalError } from '../../compiler/diagnostics.ts';
import type { LoadedGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { type CheckReport, checkTensors } from '../../compiler/import/check.ts';
import { type InferResult, inferGraph } from '../../compiler/import/infer.ts';
import { addressOf } from '../../runtime/host/node/open-weights.ts';
import { averagedFirst, fittingPrefixes } from '../../runtime/weights/prefix.ts';
import type { TensorInfo, WeightSource } from '../../runtime/weights/source.ts';
import { carriesGraph } from '../graph/carried-graph.ts';
import { readGraph } from '../graph/graph-file.ts';
import { type Host, warnAll } from '../host.ts';
import { type CheckpointTensors, readCheckpointTensors, withoutUnexpected } from './checkpoint-tensors.ts';

/**
 * Infers a graph from the names and shapes of a checkpoint's tensors, with how many there are. Throws
 * RuntimeError('weights') where the file cannot be read, GraphError where no graph has such tensors.
 */
export function inferFromCheckpoint(
  path: string,
  host: Pick<Host, 'note'>,
): InferResult & { readonly tensors: number } {
  const { tensors, notes, stem } = readCheckpointTensors(path);
  for (const note of notes) host.note(`${path}: ${note}`);
  const { file } = addressOf(path);
  const name = basename(file, extname(file)).replace(/\p{C}/gu, '').slice(0, 100) || 'inferred';
  const inferred = inferNamed(tensors, { file: path, name }, stem, host);
  if (inferred.prefix !== '') {
    host.note(`${path}: took the prefix ${JSON.stringify(inferred.prefix)} off every tensor's name`);
  }
  if (carriesGraph(path)) {
    host.note(`${path} carries its graph, with what shapes do not tell: unetc expand ${path} prints it`);
  }
  const folder = dirname(file);
  if ('unet_2d' in inferred.spec && existsSync(join(folder, 'config.json'))) {
    host.note(
      `${join(folder, 'config.json')} says what shapes do not tell: unetc import ${folder} makes the graph of it`,
    );
  }
  return { ...inferred, tensors: tensors.size };
}

/** Infers the graph; where there is none, names the parts of the checkpoint that look like a model. */
function inferNamed(
  tensors: CheckpointTensors['tensors'],
  names: { readonly file: string; readonly name: string },
  stem: string | undefined,
  host: Pick<Host, 'note'>,
): InferResult {
  try {
    return inferGraph(tensors, names);
  } catch (error) {
    const prefixes = [...tensors.keys()].flatMap((name) =>
      ANCHORS.flatMap((anchor) => (name.endsWith(`.${anchor}`) ? [name.slice(0, -anchor.length)] : [])),
    );
    if (error instanceof GraphError && stem !== undefined) {
      for (const prefix of averagedFirst(prefixes, (one) => one).slice(0, LISTED)) {
        host.note(`what looks like a model lies under a prefix: ${stem}${prefix}`);
      }
    }
    throw error;
  }
}

/** Tensors of which every model has one: those of openai's families, and of diffusers. */
const ANCHORS = ['time_embed.0.weight', 'time_embedding.linear_1.weight'] as const;
/** Prefixes that are named. */
const LISTED = 10;

/** How a checkpoint is held against a graph. */
export interface CheckOptions {
  /** Leaves out tensors that the graph does not have, and lists them. */
  readonly allowUnexpected?: boolean | undefined;
  /** A file of `unetc diff --write-rename-map`, by which the checkpoint is read. */
  readonly renameMap?: string | undefined;
}

/** Holds a checkpoint's tensors against a graph file. Throws GraphError, RuntimeError('weights'). */
export async function checkCheckpoint(
  graphFile: string,
  checkpoint: string,
  host: Pick<Host, 'warn' | 'note'>,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const loaded = readGraph(graphFile);
  warnAll(host, loaded.warnings, graphFile);
  return checkAgainst(loaded, checkpoint, host, options);
}

/** The same against a graph that was read. */
export async function checkAgainst(
  { graph, spec }: Pick<LoadedGraph, 'graph' | 'spec'>,
  checkpoint: string,
  host: Pick<Host, 'note'>,
  { allowUnexpected = false, renameMap }: CheckOptions,
): Promise<CheckReport> {
  const expected = parameters(graph);
  const read = readCheckpointTensors(checkpoint);
  const { tensors, notes, stem } = renameMap === undefined ? read : await renamed(read, renameMap, expected);
  for (const note of notes) host.note(`${checkpoint}: ${note}`);
  const { kept, left } = allowUnexpected ? withoutUnexpected(tensors, expected) : { kept: tensors, left: [] };
  if (left.length > 0) host.note(`${checkpoint}: left out ${left.length} tensors: ${listed(left)}`);
  const report = checkTensors(graph, kept, spec.form);
  if (!report.fits && stem !== undefined) {
    const found = [...tensors].map(([name, shape]) => ({ name, shape }));
    for (const prefix of fittingPrefixes(expected, found).slice(0, LISTED)) {
      host.note(`what fits the graph lies under a prefix: ${stem}${prefix}`);
    }
  }
  return report;
}

/** The tensors of a checkpoint under the names of a graph, by a rename map. */
async function renamed(
  { tensors, notes, stem }: CheckpointTensors,
  map: string,
  expected: readonly TensorInfo[],
): Promise<CheckpointTensors> {
  const { readRenameMap } = await import('./rename-map.ts');
  const { renamedWeights } = await import('../../runtime/weights/rename.ts');
  const source: WeightSource = {
    label: map,
    tensors: [...tensors].map(([name, shape]) => ({ name, shape })),
    notes,
    read: () => {
      throw new InternalError('a checkpoint that is checked has no values');
    },
    close() {},
  };
  const read = renamedWeights(source, readRenameMap(map), expected);
  return {
    tensors: new Map((read.tensors ?? []).map(({ name, shape }) => [name, shape])),
    notes: read.notes ?? [],
    ...(stem === undefined ? {} : { stem }),
  };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED).map((name) => (/^[\w.-]+$/.test(name) ? name : JSON.stringify(name)));
  return `${shown.join(', ')}${names.length > LISTED ? ` and ${names.length - LISTED} more` : ''}`;
}
