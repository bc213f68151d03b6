// All cases, by what they are given as.

import { BUNDLE_CASES } from './bundles.ts';
import type { HostileCase } from './case.ts';
import { DEVICE_CASES } from './devices.ts';
import { DOCUMENT_CASES } from './documents.ts';
import { EVALUATION_CASES } from './evaluations.ts';
import { GRAPH_CASES } from './graphs.ts';
import { INPUT_CASES } from './inputs.ts';
import { JOB_CASES } from './jobs.ts';
import { TRAINING_CASES } from './training.ts';
import { TRAINING_RUN_CASES } from './training-runs.ts';
import { WEIGHT_CASES } from './weights.ts';
import { WORD_CASES } from './words.ts';

export const CASES: readonly HostileCase[] = [
  ...GRAPH_CASES,
  ...WEIGHT_CASES,
  ...INPUT_CASES,
  ...BUNDLE_CASES,
  ...DOCUMENT_CASES,
  ...JOB_CASES,
  ...EVALUATION_CASES,
  ...TRAINING_RUN_CASES,
  ...DEVICE_CASES,
  ...TRAINING_CASES,
  ...WORD_CASES,
];
