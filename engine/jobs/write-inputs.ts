// `unetc inputs` as a job: a graph or bundle to a file of inputs that it takes.

import { checkWritable, writeFile } from '../../runtime/host/node/files.ts';
import type { ModelSettings } from '../compile/model-settings.ts';
import { type Host, warnAll } from '../host.ts';
import { readModel } from '../model/model-source.ts';
import { type InputsJob, inputsFile, makeInputs, shapeOf } from './make-inputs.ts';

export type WriteInputsJob = InputsJob & Pick<ModelSettings, 'size'>;

/** What was made, in the words of `--json`. */
export interface WrittenInputs {
  readonly name: string;
  readonly output: string;
  /** Shape of each tensor in the file. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
}

/** Throws as `makeInputs` and reading a model do; the file appears whole. */
export async function writeInputs(
  path: string,
  job: WriteInputsJob,
  output: string,
  host: Pick<Host, 'warn'>,
): Promise<WrittenInputs> {
  const source = await readModel(path, job);
  if (source.kind === 'graph') warnAll(host, source.warnings, path);
  const inputs = makeInputs(source, job);
  checkWritable(output);
  writeFile(output, inputsFile(inputs, job));
  const tensors = Object.entries(inputs).map(([name, value]) => [name, shapeOf(value!)] as const);
  return { name: source.graph.name, output, tensors: Object.fromEntries(tensors) };
}
