// The words that options with a fixed choice take, from the tables that their parsers hold them against.

import { SEVERITIES } from '../../compiler/diff/rules.ts';
import { PRECISIONS } from '../../compiler/precision.ts';
import { TARGETS } from '../../compiler/target.ts';
import { STAGES } from '../../engine/compile/compile-model.ts';
import { PURPOSES } from '../../engine/compile/model-settings.ts';
import { AUTO } from '../../engine/compile/target-choice.ts';
import { FORMATS } from '../../engine/jobs/job.ts';
import { SAMPLER_KINDS } from '../../runtime/sampler/samplers/index.ts';
import { PEERS } from '../bench/protocol.ts';
import { FORMATS as DIFF_FORMATS } from '../diff/render.ts';

const precisions = Object.keys(PRECISIONS);
const targets = [...TARGETS.map(({ name }) => name), AUTO];

/** By option, and where commands differ by command and option. */
export const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--precision': precisions,
  '--precision-b': precisions,
  '--target': targets,
  '--target-b': targets,
  '--emit': STAGES,
  '--for': PURPOSES,
  '--sampler': SAMPLER_KINDS,
  '--progress': ['auto', 'json', 'none'],
  '--trajectory': ['apng', 'strip'],
  '--fail-on': [...SEVERITIES, 'never'],
  '--against': PEERS,
  'sample --format': FORMATS,
  'diff --format': DIFF_FORMATS,
};
