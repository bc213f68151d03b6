// Reads one side of a diff from its word: a graph file, a bundle's folder, a checkpoint, or one of them in git. A side
// that cannot be read throws, so that it is never taken for one without changes.

import { RuntimeError } from '../../runtime/errors.ts';
import { openFile, pathKind } from '../../runtime/host/node/files.ts';
import { addressOf } from '../../runtime/host/node/open-weights.ts';
import { carriesGraph } from '../graph/carried-graph.ts';
import { readGraph } from '../graph/graph-file.ts';
import { fileOfPlace, parseGitPlace } from './git.ts';
import { readGitSide } from './git-side.ts';
import { realFile } from './real-file.ts';
import {
  bundleSide,
  checkpointSide,
  graphSide,
  HEAD_BYTES,
  isCheckpoint,
  isCheckpointName,
  type ReadSide,
} from './side.ts';

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
  if (carriesGraph(word)) return graphSide(readGraph(word), label, word);
  const { readCheckpointTensors } = await import('../checkpoint/checkpoint-tensors.ts');
  const { tensors, notes } = readCheckpointTensors(word);
  return checkpointSide(tensors, notes, label, file);
}

/** The absolute path of a side's file, for a side in git where it would stand in the working tree. */
export function placeOfSide(word: string): string {
  const place = parseGitPlace(word);
  return place ? fileOfPlace(place) : realFile(addressOf(word).file);
}

/** The first bytes of a file; none where it cannot be read, which whoever reads it whole will tell. */
function headOf(file: string): Uint8Array {
  try {
    const source = openFile({ kind: 'input', label: file });
    try {
      return source.read(0, Math.min(HEAD_BYTES, source.size));
    } finally {
      source.close();
    }
  } catch (error) {
    if (error instanceof RuntimeError) return new Uint8Array();
    throw error;
  }
}
