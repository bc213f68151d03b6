// `unetc evaluate` as a job: a graph file or bundle folder, and weights by their name.

import type { TakeTurn } from '../../runtime/host/node/turns.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import { weightsDigest } from '../digest.ts';
import { warnAll } from '../host.ts';
import { readModel } from '../model/model-source.ts';
import type { ModelOptions } from '../model/open-model.ts';
import { type Evaluation, evaluateModel } from './evaluate.ts';
import type { EvaluationHost, EvaluationJob } from './job.ts';

/** Throws as `evaluateModel` and reading a model do. */
export async function evaluateFile(
  path: string,
  { weights, renameMap }: Pick<ModelOptions, 'weights' | 'renameMap'>,
  job: EvaluationJob,
  host: EvaluationHost,
): Promise<Evaluation> {
  const source = await readModel(path, job.options);
  if (source.kind === 'graph') warnAll(host, source.warnings, path);
  const model = {
    source,
    open: () => openRenamed(weights, renameMap, source.graph),
    digest: (takeTurn: TakeTurn) => weightsDigest(weights, renameMap, takeTurn),
  };
  return evaluateModel(model, job, host);
}
