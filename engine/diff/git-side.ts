// Reads a side of a diff from a commit: a graph, a bundle's folder, a checkpoint with its shards.

import { GraphError } from '../../compiler/diagnostics.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { type ByteSource, bytesInMemory, decodeUtf8 } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { carriedInBytes } from '../graph/carried-graph.ts';
import { isCheckpointPath } from '../graph/checkpoint-path.ts';
import { graphNotation } from '../graph/graph-file.ts';
import { readGit } from './git.ts';
import type { GitPlace } from './git-fault.ts';
import {
  bundleSide,
  checkpointSide,
  graphSide,
  HEAD_BYTES,
  isCheckpoint,
  isCheckpointName,
  type ReadSide,
} from './side.ts';

/** Reads what lies at a place. Throws GraphError, and RuntimeError('weights' or 'bundle') for what is called or begins as one. */
export async function readGitSide(place: GitPlace, label: string): Promise<ReadSide> {
  const { found, path: file, key } = readGitKeyed(place);
  if (found === 'folder') return readGitBundle(place, label);
  if ('fault' in found) {
    if (isCheckpointName(file)) throw new RuntimeError('weights', `${label}: ${found.fault}`);
    throw unreadable(label, found.fault);
  }
  if (isCheckpointName(file) || isCheckpoint(found.subarray(0, HEAD_BYTES))) {
    const { tensorsOfCheckpoint } = await import('../checkpoint/checkpoint-tensors.ts');
    const bytes = bytesInMemory(found, { kind: 'weights', label });
    const graph = key === null && isCheckpointPath(file) ? carriedInBytes(bytes, label) : null;
    if (graph !== null) return graphSide(loadGraph(graph, label), label, file);
    const whole = key === null ? label : label.slice(0, -key.length - 1);
    const address = { label, file: whole, key };
    const { tensors, notes } = tensorsOfCheckpoint(bytes, address, shardsBeside({ ...place, path: file }));
    return checkpointSide(tensors, notes, label, file);
  }
  const text = decodeUtf8(found);
  if (text === null) throw unreadable(label, 'the file is not UTF-8 text');
  return graphSide(loadGraph(graphNotation(text, file), label), label, file);
}

/** Opens the shards that an index in a commit names: files beside it in the same commit. */
function shardsBeside({ ref, path }: GitPlace): (name: string) => ByteSource {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return (name) => {
    const at = `${folder}${name}`;
    const label = `git:${ref}:${at}`;
    const found = readGit({ ref, path: at });
    if (found === 'folder') throw new RuntimeError('weights', `${label}: this is a folder; shards are files`);
    if ('fault' in found) throw new RuntimeError('weights', `${label}: ${found.fault}`);
    return bytesInMemory(found, { kind: 'weights', label });
  };
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

function unreadable(label: string, message: string): GraphError {
  return new GraphError([{ severity: 'error', code: 'G000', pointer: '', message }], label);
}
