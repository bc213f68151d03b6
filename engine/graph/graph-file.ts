// Reads a graph file: from its path to a checked Graph, or all its faults as a GraphError.

import { readFileSync, statSync } from 'node:fs';
import { GraphError } from '../../compiler/diagnostics.ts';
import type { JsonText } from '../../compiler/format/json.ts';
import { type LoadedGraph, loadGraph } from '../../compiler/graph/load.ts';
import { readCarriedGraph } from './carried-graph.ts';
import { isCheckpointPath } from './checkpoint-path.ts';
import { isTypeScript, readTypeScript } from './typescript/read-graph.ts';

/** A graph file is a few kilobytes; one beyond this is something else. */
const MAX_BYTES = 16 * 2 ** 20;

/** The graph in the file at `path`. Throws GraphError with every fault; a file that cannot be read is one. */
export function readGraph(path: string, options: { size?: readonly number[] | undefined } = {}): LoadedGraph {
  return loadGraph(readGraphFile(path), path, options);
}

/**
 * A graph file as `loadGraph` takes it: its JSON text, or what a TypeScript file says as JSON; of a checkpoint that carries
 * its graph, that. Throws GraphError.
 */
export function readGraphFile(path: string): string | JsonText {
  if (isCheckpointPath(path)) return readCarriedGraph(path);
  return graphNotation(readGraphText(path), path);
}

/** The text of a graph file as `loadGraph` takes it; which notation it is in, its path says. */
export function graphNotation(text: string, path: string): string | JsonText {
  return isTypeScript(path) ? readTypeScript(text) : text;
}

/** The text of a graph file. Throws GraphError where it cannot be read. */
function readGraphText(path: string): string {
  const unreadable = (message: string): GraphError =>
    new GraphError([{ severity: 'error', code: 'G000', pointer: '', message }], path);
  let bytes: Uint8Array;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw unreadable('this is a directory; give a graph file');
    // A pipe would be waited for, and a device need not end.
    if (!stat.isFile()) throw unreadable('this is a pipe or a device; give a graph file');
    if (stat.size > MAX_BYTES) {
      throw unreadable(`the file has ${stat.size} bytes; a graph file has at most ${MAX_BYTES}`);
    }
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof GraphError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw unreadable('there is no such file');
    if (code === 'EACCES') throw unreadable('the file may not be read; check its permissions');
    throw unreadable(`the file cannot be read: ${(error as Error).message}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unreadable(`the file is not UTF-8 text${guessKind(bytes)}`);
  }
}

/** A graph given as an object, as the text that a file would hold. Throws GraphError where it is no JSON. */
export function textOfGraph(graph: object, label: string): string {
  try {
    return JSON.stringify(graph, null, 2) ?? 'null';
  } catch (error) {
    // A cycle, a bigint, a toJSON that throws, or levels beyond the stack.
    const message = `the object cannot be written as JSON: ${(error as Error).message.split('\n')[0]}`;
    throw new GraphError([{ severity: 'error', code: 'G001', pointer: '', message }], label);
  }
}

/** What a file that is no text most likely is. */
function guessKind(bytes: Uint8Array): string {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b)
    return '; it looks like a .pt checkpoint, which holds weights and no graph';
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return '; it looks like UTF-16, save it as UTF-8';
  }
  return '';
}
