// One side of a diff, whatever it was read from: what is known of it, and what cannot be known.

import type { Graph } from '../graph/graph.ts';
import { type Parameter, parameters } from '../graph/parameters.ts';
import type { Precision } from '../precision.ts';
import type { Spec } from '../spec/spec.ts';
import type { ScheduleFacts } from './schedule-facts.ts';

/** What a checkpoint's shapes cannot tell beside options of layers. */
export type UnknownFact = 'image_size' | 'in_channels' | 'diffusion' | 'name' | 'low_res_size';

export interface DiffSide {
  /** What messages call it. */
  readonly label: string;
  /** Null for a checkpoint of another family: then its parameters are all that is known. */
  readonly graph: Graph | null;
  /** What its author wrote, for places in the file; null where there is no such file. */
  readonly spec: Spec | null;
  readonly parameters: readonly Parameter[];
  /** What is not known and so not compared: options of layers by their names (`heads`), and facts of the model. */
  readonly unknown: ReadonlySet<string>;
  /** The settings that a bundle was compiled with; null where nothing was compiled before. */
  readonly compiled: CompiledAs | null;
  readonly schedule: ScheduleFacts | null;
}

export interface CompiledAs {
  readonly batch: number;
  readonly precision: Precision;
  readonly taps: boolean;
  readonly strict: boolean;
  /** Epsilons of the norms in its kernels. */
  readonly epsilons: readonly number[];
  /** Of the timestep embedding; null where nothing is embedded. */
  readonly max_period: number | null;
}

/** The side of a graph of which nothing else is known than `more` says. */
export function sideOfGraph(label: string, graph: Graph, more: Partial<DiffSide> = {}): DiffSide {
  return {
    label,
    graph,
    spec: null,
    parameters: parameters(graph),
    unknown: new Set(),
    compiled: null,
    schedule: null,
    ...more,
  };
}

/** Two sides of which both graphs are known. */
export interface GraphPair {
  readonly a: DiffSide & { readonly graph: Graph };
  readonly b: DiffSide & { readonly graph: Graph };
}

/** The pair, or null where one graph is not known. */
export function graphPair(a: DiffSide, b: DiffSide): GraphPair | null {
  return a.graph && b.graph ? { a: { ...a, graph: a.graph }, b: { ...b, graph: b.graph } } : null;
}

/** Whether both sides know an option of layers. */
export function knownOption({ a, b }: GraphPair, field: string): boolean {
  return !a.unknown.has(field) && !b.unknown.has(field);
}

/** Whether both sides know a fact. */
export function known({ a, b }: { readonly a: DiffSide; readonly b: DiffSide }, fact: UnknownFact): boolean {
  return !a.unknown.has(fact) && !b.unknown.has(fact);
}
