// The graph that a checkpoint belongs to, from the names and shapes of its tensors alone: families read it, and of what
// they read the first that has exactly these tensors is taken.

import { type Diagnostic, GraphError } from '../diagnostics.ts';
import type { JsonObject, Reading, Undetermined, Unread } from '../families/family.ts';
import { FAMILY_KEYS, familyOf } from '../families/index.ts';
import type { BareTensors, Tensors } from '../families/tensors.ts';
import { buildGraph } from '../graph/build.ts';
import type { Graph } from '../graph/graph.ts';
import { checkFields, type Spec } from '../spec/spec.ts';
import { foreignFamily } from './foreign.ts';
import { findMisfits, type Misfit } from './misfits.ts';

export interface InferResult {
  /** A graph file as JSON: with the keywords of a family, or the explicit form of what no keywords make. */
  readonly spec: JsonObject;
  readonly graph: Graph;
  /** The keys of `spec` whose values are guesses. */
  readonly undetermined: readonly Undetermined[];
  /** What was taken off every tensor's name to read it; mostly nothing. */
  readonly prefix: string;
}

/** What messages call the checkpoint, and what the graph is called where it is none that is known. */
export interface InferOptions {
  readonly file?: string;
  readonly name?: string;
  /** The form that is taken where several have these tensors; default: the first family whose keywords make them. */
  readonly form?: Spec['form'];
}

/** Faults that are written out; the rest is counted. */
const LISTED = 20;

/** Throws GraphError where the tensors are those of no model of a family. */
export function inferGraph(
  tensors: Tensors,
  { file = 'the checkpoint', name = 'inferred', form }: InferOptions = {},
): InferResult {
  const read = FAMILY_KEYS.map((key) => familyOf(key).read(tensors, name));
  let nearest: readonly Diagnostic[] | null = null;
  for (const { candidate, tensors } of inOrder(read, form)) {
    const { graph, faults } = examine(candidate.spec, tensors);
    if (graph) return { ...candidate, graph, prefix: tensors.prefix };
    if (nearest === null || faults.length < nearest.length) nearest = faults;
  }
  if (nearest) throw new GraphError(shortened(nearest), file);
  const message = whyNone([...tensors.keys()], read);
  throw new GraphError([{ severity: 'error', code: 'G020', pointer: '', message }], file);
}

type Read = Reading | Unread;

/** What the families read: what is asked for first, then keywords, and the blocks of models that no keywords make last. */
function inOrder(read: readonly Read[], form: Spec['form'] | undefined) {
  const candidates = read.flatMap((one) =>
    'fault' in one ? [] : one.candidates.map((candidate) => ({ candidate, tensors: one.tensors })),
  );
  const place = (spec: JsonObject) => (form !== undefined && form in spec ? 0 : 'blocks' in spec ? 2 : 1);
  return candidates.toSorted((a, b) => place(a.candidate.spec) - place(b.candidate.spec));
}

/** What the checkpoint is instead, or what the families miss that it looks like; the first where it looks like none. */
function whyNone(names: readonly string[], read: readonly Read[]): string {
  const foreign = foreignFamily(names);
  const titles = FAMILY_KEYS.map((key) => familyOf(key).title);
  const faults = read.flatMap((one) => ('fault' in one ? [one] : []));
  const alike = faults.filter((one) => !one.foreign);
  const missed = [...new Set((alike.length > 0 ? alike : faults.slice(0, 1)).map(({ fault }) => fault))];
  if (foreign === null) return missed.join('; ');
  return `this is ${foreign.what}, no model of ${titles.join(', ')}; ${foreign.next}`;
}

/** The graph of a candidate that has exactly these tensors, or what speaks against it. */
function examine(
  candidate: JsonObject,
  { all }: BareTensors,
): { readonly graph: Graph | null; readonly faults: readonly Diagnostic[] } {
  const read = checkFields(candidate);
  if (read.spec === null || read.faults.length > 0)
    return { graph: null, faults: read.faults.map(ofTensors) };
  const { graph, diagnostics } = buildGraph(read.spec);
  if (graph === null) {
    return { graph, faults: diagnostics.filter(({ severity }) => severity === 'error').map(ofTensors) };
  }
  const faults = findMisfits(graph, all).map(explain);
  return { graph: faults.length === 0 ? graph : null, faults };
}

/** A fault of the graph that tensors tell, as one of the tensors: they are what was given. */
function ofTensors({ pointer, message }: Diagnostic): Diagnostic {
  const told = `the graph that these tensors tell is none, at ${pointer}: ${message}; tensors are missing, or have shapes that no model has`;
  return { severity: 'error', code: 'G020', pointer: '', message: told };
}

function explain({ kind, name, expected, found }: Misfit): Diagnostic {
  const shape = (sizes: readonly number[] | null): string => `[${sizes?.join(', ')}]`;
  const message = {
    missing: `this tensor is missing; what is around it wants one of ${shape(expected)}`,
    unexpected: `no layer of a model with the other tensors has this one of ${shape(found)}`,
    shape: `found ${shape(found)} where what is around it wants ${shape(expected)}`,
  }[kind];
  const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return { severity: 'error', code: 'G020', pointer, message };
}

function shortened(faults: readonly Diagnostic[]): readonly Diagnostic[] {
  if (faults.length <= LISTED) return faults;
  const message = `and ${faults.length - LISTED} more tensors that do not fit`;
  return [...faults.slice(0, LISTED), { severity: 'error', code: 'G020', pointer: '', message }];
}
