// Reads one side of a diff from its word: a graph file, a bundle's folder, a checkpoint, or one of them in git. A side
// that cannot be read throws, so that it is never taken for one without changes.

import path from 'node:path';
import { GraphError, type Position } from '../../compiler/diagnostics.ts';
import { type DiffSide, sideOfGraph, type Unknown } from '../../compiler/diff/side.ts';
import { type LoadedGraph, loadGraph } from '../../compiler/graph/load.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { bytesInMemory, decodeUtf8 } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { openFile, pathKind } from '../../runtime/files.ts';
import { graphNotation, readGraph } from '../graph-file.ts';
import { type GitPlace, parseGitPlace, readGit } from './git.ts';

export interface ReadSide {
  readonly kind: 'graph' | 'bundle' | 'checkpoint';
  readonly side: DiffSide;
  /** The bundle where the side is one. */
  readonly bundle: Bundle | null;
  /** File in the working tree for annotations, null where there is none. */
  readonly file: string | null;
  readonly notes: readonly string[];
  locate(pointer: string): Position | undefined;
}

/** Reads a side. `label` is what messages call it, the word itself where it is not given. */
export async function readSide(word: string, label = word): Promise<ReadSide> {
  const place = parseGitPlace(word);
  if (place) return readGitSide(place, label);
  if (pathKind(word) === 'folder') {
    const { readBundle } = await import('../bundle-folder.ts');
    return bundleSide(await readBundle(word), label, word);
  }
  const checkpoint = isCheckpointName(word) || (pathKind(word) === 'file' && isCheckpoint(headOf(word)));
  if (!checkpoint) return graphSide(readGraph(word), label, word);
  const { openWeights } = await import('../../runtime/weights/open.ts');
  return checkpointSide(openWeights(word), label, word);
}

async function readGitSide(place: GitPlace, label: string): Promise<ReadSide> {
  const found = readGit(place);
  const file = place.path;
  if (found === 'folder') return readGitBundle(place, label);
  if ('fault' in found) {
    if (isCheckpointName(file)) throw new RuntimeError('weights', `${label}: ${found.fault}`);
    throw unreadable(label, found.fault);
  }
  if (isCheckpointName(file) || isCheckpoint(found)) {
    const { openCheckpoint } = await import('../../runtime/weights/checkpoint.ts');
    return checkpointSide(
      openCheckpoint(bytesInMemory(found, { kind: 'weights', label }), label),
      label,
      file,
    );
  }
  const text = decodeUtf8(found);
  if (text === null) throw unreadable(label, 'the file is not UTF-8 text');
  return graphSide(loadGraph(graphNotation(text, file), label), label, file);
}

async function readGitBundle(place: GitPlace, label: string): Promise<ReadSide> {
  const { parseBundle } = await import('../../runtime/parse-bundle.ts');
  const read = (name: string): string | undefined => {
    const found = readGit({ ...place, path: `${place.path.replace(/\/$/, '')}/${name}` });
    return found instanceof Uint8Array ? (decodeUtf8(found) ?? undefined) : undefined;
  };
  const manifest = read('manifest.json');
  if (manifest === undefined)
    throw new RuntimeError('bundle', `${label}: this folder holds no manifest.json`);
  return bundleSide(await parseBundle(manifest, (name) => read(`kernels/${name}`), label), label, place.path);
}

function graphSide({ graph, spec, locate }: LoadedGraph, label: string, file: string): ReadSide {
  return { kind: 'graph', side: sideOfGraph(label, graph, { spec }), bundle: null, file, notes: [], locate };
}

async function bundleSide(bundle: Bundle, label: string, folder: string): Promise<ReadSide> {
  const { graphOfBundle } = await import('../model-source.ts');
  const { epsilonsIn, scheduleFacts } = await import('../../compiler/diff/schedule-facts.ts');
  const graph = graphOfBundle(bundle, label);
  const { batch, precision, taps, strict, inputs } = bundle.manifest;
  const epsilons = epsilonsIn(bundle.kernels.values());
  const side = sideOfGraph(label, graph, {
    compiled: { batch, precision, taps, strict, epsilons, max_period: inputs.timesteps.max_period },
    schedule: scheduleFacts(bundle),
  });
  return {
    kind: 'bundle',
    side,
    bundle,
    file: path.posix.join(folder, 'manifest.json'),
    notes: [],
    locate: () => undefined,
  };
}

interface Checkpoint {
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[] | null;
  readonly notes?: readonly string[];
  close(): void;
}

/** A checkpoint as the graph that it belongs to; one of another family as its parameters alone. */
async function checkpointSide(source: Checkpoint, label: string, file: string): Promise<ReadSide> {
  const { inferGraph } = await import('../../compiler/import/infer.ts');
  const tensors = new Map((source.tensors ?? []).map(({ name, shape }) => [name, shape]));
  source.close();
  const notes = (source.notes ?? []).map((note) => `${label}: ${note}`);
  const read = { kind: 'checkpoint', bundle: null, file, locate: () => undefined } as const;
  try {
    const { graph, undetermined } = inferGraph(tensors, { file: label });
    const unknown = new Set<Unknown>(['name', ...undetermined.flatMap(({ key }) => UNKNOWN[key] ?? [])]);
    const untold = [...unknown].map((fact) => fact.replaceAll('_', ' ')).join(', ');
    const note = `${label}: shapes do not tell ${untold}; these and the schedule were not compared`;
    return { ...read, side: sideOfGraph(label, graph, { unknown }), notes: [...notes, note] };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const parameters = [...tensors].map(([name, shape]) => ({ name, shape }));
    const side = {
      label,
      graph: null,
      spec: null,
      parameters,
      unknown: new Set<Unknown>(),
      compiled: null,
      schedule: null,
    };
    const why = error.diagnostics[0]?.message ?? '';
    return { ...read, side, notes: [...notes, `${label}: ${why}; its tensors are compared by name alone`] };
  }
}

/** What is not known where a key of an inferred graph is a guess. */
const UNKNOWN: Readonly<Record<string, readonly Unknown[]>> = {
  '/image_size': ['image_size'],
  '/unet/num_heads': ['heads'],
  '/unet/num_heads_upsample': ['heads'],
  '/unet/dropout': ['dropout'],
  '/blocks': ['heads', 'dropout'],
  '/super_resolution/low_res_size': ['low_res_size'],
  '/unet/in_channels': ['in_channels'],
  '/in_channels': ['in_channels'],
  '/diffusion': ['diffusion'],
};

function isCheckpointName(file: string): boolean {
  return /\.(pt|pth|ckpt|bin|safetensors)$/i.test(file);
}

/** A zip archive of torch.save, or the header of safetensors: a length, then a brace. */
function isCheckpoint(head: Uint8Array): boolean {
  return (
    (head[0] === 0x50 && head[1] === 0x4b) || (head[8] === 0x7b && head.subarray(1, 8).some((b) => b === 0))
  );
}

function headOf(file: string): Uint8Array {
  const source = openFile({ kind: 'input', label: file });
  try {
    return source.read(0, Math.min(16, source.size));
  } finally {
    source.close();
  }
}

function unreadable(label: string, message: string): GraphError {
  return new GraphError([{ severity: 'error', code: 'G000', pointer: '', message }], label);
}
