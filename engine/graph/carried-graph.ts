// The graph that a checkpoint of `unetc train` carries in its header, so that the file is a model on its own.

import { GraphError } from '../../compiler/diagnostics.ts';
import type { ByteSource, Origin } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { openFile, pathKind } from '../../runtime/host/node/files.ts';
import { readHeader } from '../../runtime/weights/safetensors.ts';
import { isCheckpointPath } from './checkpoint-path.ts';

/** The key of the metadata: a graph file's text, in the explicit form. */
export const GRAPH_KEY = 'unetc.graph';

/** The text of the graph in a checkpoint; null where it carries none. Throws RuntimeError('weights') where it is none. */
export function carriedGraph(path: string): string | null {
  const origin: Origin = { kind: 'weights', label: path };
  const source = openFile(origin);
  try {
    return graphIn(source, origin);
  } finally {
    source.close();
  }
}

function graphIn(source: ByteSource, origin: Origin): string | null {
  return readHeader(source, origin).metadata.get(GRAPH_KEY) ?? null;
}

/** Whether a file carries a graph. One that is no sound safetensors carries none: who reads its tensors tells what it is. */
export function carriesGraph(path: string): boolean {
  return isCheckpointPath(path) && orNone(() => carriedGraph(path)) !== null;
}

/** The text of the graph in a checkpoint that was read from elsewhere; null where it carries none, or is none. */
export function carriedInBytes(source: ByteSource, label: string): string | null {
  return orNone(() => graphIn(source, { kind: 'weights', label }));
}

function orNone(read: () => string | null): string | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RuntimeError) return null;
    throw error;
  }
}

/** The text of the graph in a checkpoint that is given as a graph. Throws GraphError where it carries none. */
export function readCarriedGraph(path: string): string {
  const wrong = (message: string) =>
    new GraphError([{ severity: 'error', code: 'G000', pointer: '', message }], path);
  if (pathKind(path) === 'missing') throw wrong('there is no such file');
  try {
    const text = carriedGraph(path);
    if (text !== null) return text;
  } catch (error) {
    if (error instanceof RuntimeError) throw wrong(error.message.replace(`${path}: `, ''));
    throw error;
  }
  throw wrong(
    'this checkpoint carries no graph (those of unetc train do); give its graph file, which unetc infer finds, and the ' +
      'checkpoint as weights',
  );
}
