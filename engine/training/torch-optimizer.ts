// The state of the original's optimizer (`opt010000.pt`): AdamW's moments and its count of updates, by parameter in the order
// of the model, or as the one or two flat tensors of a run in float16.

import path from 'node:path';
import { fault, type Origin } from '../../runtime/bytes.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import type { TrainingStep } from '../../runtime/training/training-step.ts';
import { type OptimizerEntry, optimizerEntries } from '../../runtime/weights/torch/optimizer.ts';

type Parameters = TrainingStep['parameters'];

/** Where a run was that left an optimizer's file. */
interface Place {
  readonly position: number;
  readonly updates: number;
}

/** Holds a file to the parameters of a model. Throws RuntimeError('weights') where it is not their optimizer's. */
export function checkTorchOptimizer(origin: Origin, parameters: Parameters): Place {
  return withParts(origin, parameters, (_, place) => place);
}

/** Puts the moments in their place, and gives where the run was. Rejects as `checkTorchOptimizer` throws. */
export async function readTorchOptimizer(origin: Origin, step: TrainingStep): Promise<Place> {
  const moments = (kind: 'exp_avg' | 'exp_avg_sq') =>
    withParts(origin, step.parameters, (parts) => {
      const tensors = new Map<string, Tensor>();
      for (const { entry, parameters } of parts) {
        const all = entry[kind]();
        let at = 0;
        for (const { name, shape } of parameters) {
          const length = elements(shape);
          tensors.set(name, { shape, data: all.slice(at, at + length) });
          at += length;
        }
      }
      return tensors;
    });
  for (const kind of ['exp_avg', 'exp_avg_sq'] as const) await step.write({ kind }, moments(kind));
  return checkTorchOptimizer(origin, step.parameters);
}

function withParts<T>(
  origin: Origin,
  parameters: Parameters,
  use: (parts: readonly Part[], place: Place) => T,
): T {
  const digits = /^opt(\d+)\.\w+$/.exec(path.basename(origin.label))?.[1];
  if (digits === undefined) {
    throw fault(
      origin,
      'the step of the run is told by the name opt and digits, as in opt010000.pt; name the file so',
    );
  }
  const source = openFile(origin);
  try {
    const entries = optimizerEntries(source, origin);
    const parts = partsOf(entries, parameters, origin);
    return use(parts, { position: Number(digits), updates: updatesOf(entries, origin) });
  } finally {
    source.close();
  }
}

interface Part {
  readonly entry: OptimizerEntry;
  /** Whose values it has, one after the other. */
  readonly parameters: Parameters;
}

/** Which parameters each entry is of. Throws where they are not those of the model. */
function partsOf(
  entries: readonly OptimizerEntry[],
  parameters: Parameters,
  origin: Origin,
): readonly Part[] {
  const flat = parameters.filter(({ shape }) => shape.length <= 1);
  const deep = parameters.filter(({ shape }) => shape.length > 1);
  const split =
    entries.length === parameters.length
      ? parameters.map((one) => [one])
      : entries.length === 1
        ? [parameters]
        : entries.length === 2
          ? [flat, deep]
          : null;
  if (split === null) {
    throw fault(
      origin,
      `it has the moments of ${entries.length} tensors, and the model ${parameters.length} parameters; give the optimizer of this model`,
    );
  }
  return entries.map((entry, k) => {
    const mine = split[k]!;
    const length = mine.reduce((sum, { shape }) => sum + elements(shape), 0);
    if (entry.length === length) return { entry, parameters: mine };
    const what =
      mine.length === 1 ? `${mine[0]!.name} [${mine[0]!.shape.join(', ')}]` : `${mine.length} parameters`;
    throw fault(
      origin,
      `entry ${k} of its state has ${entry.length} values, and ${what} ${length}; give the optimizer of this model`,
    );
  });
}

function updatesOf(entries: readonly OptimizerEntry[], origin: Origin): number {
  const counts = new Set(entries.map(({ step }) => step));
  const [count] = counts;
  if (counts.size === 1 && Number.isInteger(count) && count! >= 0) return count!;
  throw fault(
    origin,
    `its parameters were updated ${[...counts].slice(0, 4).join(', ')} times, expected one whole number`,
  );
}
