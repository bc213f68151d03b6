// Two sides to findings: the graphs are matched once, and every family looks at the match.

import type { Graph } from '../graph/graph.ts';
import { diffParameters } from './checkpoint.ts';
import { type Cost, costOfSide, diffCost, precisionOf } from './cost.ts';
import type { Finding } from './finding.ts';
import { diffInputs } from './inputs.ts';
import { diffInterface } from './interface.ts';
import { matchGraphs } from './match.ts';
import { diffMeaning } from './meaning.ts';
import { diffCompiled, diffNumerics } from './numerics.ts';
import type { RenameMap } from './parameters.ts';
import { FAMILIES, SEVERITIES } from './rules.ts';
import { diffSchedule } from './schedule.ts';
import { type DiffSide, graphPair } from './side.ts';
import { type CarriedTensor, carriedTensors, diffTraining, type TrainingSides } from './training.ts';
import { diffWeights } from './weights.ts';

/** All that comparing two sides gives. */
export interface Diff {
  /** By family, the gravest first, then in the order of computation. */
  readonly findings: readonly Finding[];
  readonly cost: { readonly a: Cost; readonly b: Cost };
  /** What training takes, and what becomes of runs of A; null where it was not compared. */
  readonly training: (TrainingSides & { readonly carried: readonly CarriedTensor[] }) | null;
  /** How a checkpoint of A is read by B; null where one side's layers are not known. */
  readonly map: RenameMap | null;
  /** Both graphs; null where a side is a checkpoint of another family. */
  readonly graphs: { readonly a: Graph | null; readonly b: Graph | null };
}

/**
 * Everything that is other in B than in A, with what both cost and how a checkpoint moves over. `trained` is what a step of
 * training takes of both, where that is to be compared.
 */
export function diffSides(a: DiffSide, b: DiffSide, trained: TrainingSides | null = null): Diff {
  const cost = { a: costOfSide(a, precisionOf(a, b)), b: costOfSide(b, precisionOf(b, a)) };
  const graphs = { a: a.graph, b: b.graph };
  const pair = graphPair(a, b);
  if (!pair) {
    const findings = [...diffParameters({ a, b }), ...diffCompiled({ a, b })];
    return { findings: ordered(findings), cost, training: null, map: null, graphs };
  }
  const blocks = matchGraphs(pair.a.graph, pair.b.graph);
  const weights = diffWeights(pair, blocks);
  const training = trained && { ...trained, carried: carriedTensors(pair, weights.map) };
  const findings = [
    ...weights.findings,
    ...diffMeaning(pair),
    ...diffInterface(pair),
    ...diffInputs(pair),
    ...diffNumerics(pair, blocks),
    ...diffCompiled(pair),
    ...diffCost(pair, cost),
    ...(training ? diffTraining(pair, training, training.carried) : []),
    ...(a.schedule && b.schedule ? diffSchedule(a.schedule, b.schedule, blocks) : []),
  ];
  return {
    findings: ordered(findings),
    cost,
    training,
    map: weights.map,
    graphs,
  };
}

function ordered(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (x, y) =>
      FAMILIES.indexOf(x.family) - FAMILIES.indexOf(y.family) ||
      SEVERITIES.indexOf(x.severity) - SEVERITIES.indexOf(y.severity),
  );
}
