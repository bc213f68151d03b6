// The graphs whose bundles a second WebGPU judges: those that are published, and those of all golden cases.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Graph } from '../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { boundGraph } from '../../bound-case.ts';
import { ALL_NAMES, CLASSIFIER_NAMES, goldenGraph } from '../../golden-cases.ts';
import { goldenSteps, STEP_CASES } from '../../step-cases.ts';
import { TRAINING_NAMES, trainingGraph } from '../../training-cases.ts';

const PUBLISHED = join(import.meta.dirname, '../../../graphs');

export interface NamedGraph {
  readonly name: string;
  readonly graph: Graph;
}

/** Published graphs by their files, golden ones by their folders, one after the other. */
export function* judgedGraphs(): Generator<NamedGraph> {
  for (const file of readdirSync(PUBLISHED)) {
    if (!/(?<!schema)\.json$/.test(file)) continue;
    yield named(`graphs/${file}`, readFileSync(join(PUBLISHED, file), 'utf8'));
  }
  for (const name of [...ALL_NAMES, ...CLASSIFIER_NAMES]) yield named(name, goldenGraph(name));
  for (const name of TRAINING_NAMES) yield named(`train/gradients/${name}`, trainingGraph(name));
  for (const name of STEP_CASES) yield named(`train/steps/${name}`, goldenSteps(name).graph);
  yield named('train/bpd', boundGraph());
}

function named(name: string, text: string): NamedGraph {
  return { name, graph: loadGraph(text, name).graph };
}
