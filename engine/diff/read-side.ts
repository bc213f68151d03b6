// Reads one side of a diff from its word: a graph file, a bundle's folder, a checkpoint, or one of them in git. A side
// that cannot be read throws, so that it is never taken for one without changes.

import path from 'node:path';
import { GraphError, type Position } from '../../compiler/diagnostics.ts';
import { type DiffSide, sideOfGraph } from '../../compiler/diff/side.ts';
import { type LoadedGraph, loadGraph } from '../../compiler/graph/load.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { bytesInMemory, decodeUtf8 } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { openFile, pathKind } from '../../runtime/host/node/files.ts';
import { addressOf } from '../../runtime/host/node/open-weights.ts';
import { graphNotation, readGraph } from '../graph/graph-file.ts';
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
    const { readBundle } = await import('../compile/bundle-folder.ts');
    return bundleSide(await readBundle(word), label, word);
  }
  const { file } = addressOf(word);
  const checkpoint = isCheckpointName(file) || (pathKind(file) === 'file' && isCheckpoint(headOf(file)));
  if (!checkpoint) return graphSide(readGraph(word), label, word);
  const { readCheckpointTensors } = await import('../checkpoint/checkpoint-tensors.ts');
  const { tensors, notes } = readCheckpointTensors(word);
  return checkpointSide(tensors, notes, label, file);
}

async function readGitSide(place: GitPlace, label: string): Promise<ReadSide> {
  const { found, path: file, key } = readGitKeyed(place);
  if (found === 'folder') return readGitBundle(place, label);
  if ('fault' in found) {
    if (isCheckpointName(file)) throw new RuntimeError('weights', `${label}: ${found.fault}`);
    throw unreadable(label, found.fault);
  }
  if (isCheckpointName(file) || isCheckpoint(found.subarray(0, HEAD))) {
    const { tensorsOfCheckpoint } = await import('../checkpoint/checkpoint-tensors.ts');
    const bytes = bytesInMemory(found, { kind: 'weights', label });
    const whole = key === null ? label : label.slice(0, -key.length - 1);
    const { tensors, notes } = tensorsOfCheckpoint(bytes, { label, file: whole, key });
    return checkpointSide(tensors, notes, label, file);
  }
  const text = decodeUtf8(found);
  if (text === null) throw unreadable(label, 'the file is not UTF-8 text');
  return graphSide(loadGraph(graphNotation(text, file), label), label, file);
}

/** What lies at a place in git. Where nothing does, and the path has a `#`, what lies at the path before it. */
function readGitKeyed(place: GitPlace): {
  readonly found: ReturnType<typeof readGit>;
  readonly path: string;
  readonly key: string | null;
} {
  const found = readGit(place);
  const { path: whole } = place;
  const at = whole.indexOf('#');
  const missing = found !== 'folder' && 'fault' in found;
  if (!missing || at < 1 || !isCheckpointName(whole.slice(0, at))) return { found, path: whole, key: null };
  const path = whole.slice(0, at);
  return { found: readGit({ ...place, path }), path, key: whole.slice(at + 1) };
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
  const { graphOfBundle } = await import('../model/model-source.ts');
  const { epsilonsIn, scheduleFacts } = await import('../../compiler/diff/schedule-facts.ts');
  const graph = graphOfBundle(bundle, label);
  const { batch, precision, taps, strict, inputs } = bundle.manifest;
  const epsilons = epsilonsIn(bundle);
  const timesteps = inputs.find((port) => port.encoding === 'timestep');
  const side = sideOfGraph(label, graph, {
    compiled: { batch, precision, taps, strict, epsilons, max_period: timesteps?.max_period ?? null },
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

/** A checkpoint as the graph that it belongs to; one of another family as its parameters alone. */
async function checkpointSide(
  tensors: ReadonlyMap<string, readonly number[]>,
  said: readonly string[],
  label: string,
  file: string,
): Promise<ReadSide> {
  const { sideOfTensors } = await import('./checkpoint-side.ts');
  const { side, note } = sideOfTensors(tensors, label);
  const notes = [...said.map((text) => `${label}: ${text}`), note];
  return { kind: 'checkpoint', side, bundle: null, file, notes, locate: () => undefined };
}

function isCheckpointName(file: string): boolean {
  return /\.(pt|pth|ckpt|bin|safetensors)(\.index\.json)?$/i.test(file);
}

/** What torch.save wrote, the header of safetensors (a length, then a brace), or a state dict as JSON. */
function isCheckpoint(head: Uint8Array): boolean {
  const zip = (head[0] === 0x50 && head[1] === 0x4b) || (head[0] === 0x80 && head[2] === 0x8a);
  const safetensors = head[8] === 0x7b && head.subarray(1, 8).some((byte) => byte === 0);
  return zip || safetensors || /^\s*\{\s*"[^"]+\.(weight|bias)"\s*:/.test(new TextDecoder().decode(head));
}

/** The first bytes of a file; none where it cannot be read, which whoever reads it whole will tell. */
function headOf(file: string): Uint8Array {
  try {
    const source = openFile({ kind: 'input', label: file });
    try {
      return source.read(0, Math.min(HEAD, source.size));
    } finally {
      source.close();
    }
  } catch (error) {
    if (error instanceof RuntimeError) return new Uint8Array();
    throw error;
  }
}

const HEAD = 256;

function unreadable(label: string, message: string): GraphError {
  return new GraphError([{ severity: 'error', code: 'G000', pointer: '', message }], label);
}
