// Whether a bundle is what its graph compiles to. Its digests show that nobody changed it by accident; who changes it by
// intent writes new digests. So the graph is compiled again, as the manifest says it was, and both are compared.

import { compileGraph } from '../../compiler/compile.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { findTarget } from '../../compiler/target.ts';
import type { Bundle, Manifest } from '../../runtime/bundle.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { drawsDropout } from '../../runtime/training/dropout.ts';
import { packageVersion } from '../package.ts';
import { givesGradient, givesGradients, trainingOf } from './model-settings.ts';

/** Differences that a message lists. */
const MOST_LINES = 8;

/**
 * True for a bundle that its graph compiles to, false for one that another version of unetc wrote, whose kernels may differ
 * for good reasons. Throws RuntimeError('bundle') that says what differs.
 */
export function compareBundle({ manifest }: Bundle, graph: Graph, label: string): boolean {
  if (manifest.compiler.version !== packageVersion()) return false;
  const expected = compileAgain(manifest, graph, label);
  if (expected.sha256 === manifest.sha256) return true;
  const lines = differences(withoutDigest(manifest), withoutDigest(expected), '');
  throw notItsGraph(label, `\n  ${lines.slice(0, MOST_LINES).join('\n  ')}${more(lines.length)}`);
}

/** What the caller should know of a bundle that cannot be compared. */
export function foreignNote({ manifest }: Bundle, label: string): string {
  const { version } = manifest.compiler;
  return (
    `${label}: unetc ${version || 'of no version'} wrote this bundle, and this is ${packageVersion()}: it is checked as far ` +
    'as its manifest goes, and not compared with what its graph compiles to; compile the graph again to have it compared'
  );
}

function compileAgain(manifest: Manifest, graph: Graph, label: string): Manifest {
  const { batch, taps, strict, precision } = manifest;
  const { version, price, tuning, throughput = false, recomputed = [], passing } = manifest.compiler;
  const training = trainingOf(manifest);
  const target = findTarget(manifest.target);
  if (target === undefined) throw notItsGraph(label, ` this unetc has no target '${manifest.target}'`);
  try {
    return compileGraph(graph, {
      ...{ batch, taps, strict, precision, target, price, version, throughput },
      gradient: givesGradient(manifest),
      gradients: givesGradients(manifest),
      dropout: drawsDropout(manifest),
      training: training && { ...training, passing },
      recomputed,
      tuning: tuning ?? undefined,
    }).bundle.manifest;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw notItsGraph(label, ` the graph does not compile for ${target.name}: ${reason}`, error);
  }
}

function notItsGraph(label: string, how: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'bundle',
    `${label}: this is not what its graph compiles to:${how}\n` +
      'compile the graph again, or where you know who changed it, run it as it is (--trust)',
    { cause },
  );
}

function withoutDigest({ sha256: _, ...manifest }: Manifest): object {
  return manifest;
}

/** What differs, a line each with its JSON pointer: what is found, and what is expected. */
function differences(found: unknown, expected: unknown, pointer: string): readonly string[] {
  if (Object.is(found, expected)) return [];
  if (!isObject(found) || !isObject(expected) || Array.isArray(found) !== Array.isArray(expected)) {
    return [`manifest.json:${pointer}: found ${shown(found)}, expected ${shown(expected)}`];
  }
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  const lengths =
    Array.isArray(found) && Array.isArray(expected) && found.length !== expected.length
      ? [`manifest.json:${pointer}: found ${found.length} entries, expected ${expected.length}`]
      : [];
  return [...lengths, ...keys.flatMap((key) => differences(found[key], expected[key], `${pointer}/${key}`))];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function more(lines: number): string {
  return lines > MOST_LINES ? `\n  and ${lines - MOST_LINES} more` : '';
}
