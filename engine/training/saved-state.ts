// What a run goes on by beside its tensors of parameters, in the file of the optimizer: where it was, what was logged since
// the last row, the last losses of each timestep, in float16 the loss's scale.

import { z } from 'zod';
import { fault, type Origin } from '../../runtime/bytes.ts';
import { historyFault, type LossHistory } from '../../runtime/training/timestep-sampler.ts';
import type { SafetensorsHeader, StoredTensor } from '../../runtime/weights/safetensors.ts';
import type { TensorToWrite } from '../../runtime/weights/safetensors-write.ts';
import type { LoopState } from './loop.ts';

/** Keys of a file's metadata: the state as JSON, and which run wrote the file. */
export const STATE_KEY = 'unetc.training';
export const RUN_KEY = 'unetc.run';

const LOSSES = 'history.losses';
const COUNTS = 'history.counts';

const stateSchema = z.strictObject({
  position: z.int().min(0),
  updates: z.int().min(0),
  history: z.boolean(),
  scale: z.strictObject({ lg: z.number().min(0), bad_losses: z.int().min(0) }).optional(),
  means: z.array(z.tuple([z.string(), z.number(), z.int().min(1)])),
});

export function stateText({ position, updates, history, scale, means }: LoopState): string {
  const listed = [...means].map(([key, { mean, count }]) => [key, mean, count]);
  return JSON.stringify({
    position,
    updates,
    history: history !== null,
    scale: scale ?? undefined,
    means: listed,
  });
}

export function stateTensors({ history }: LoopState): readonly TensorToWrite[] {
  if (history === null) return [];
  const { losses, counts } = history;
  const steps = counts.length;
  return [
    { name: LOSSES, shape: [steps, losses.length / steps], dtype: 'F64', data: () => losses },
    { name: COUNTS, shape: [steps], dtype: 'I32', data: () => counts },
  ];
}

/**
 * The state of a file.
 * @param steps of the diffusion process
 * @throws RuntimeError of `origin.kind` where the file has none, or none for such a process
 */
export function readState(
  { metadata }: SafetensorsHeader,
  tensor: (name: string) => StoredTensor | null,
  origin: Origin,
  steps: number,
): LoopState {
  const text = metadata.get(STATE_KEY);
  if (text === undefined) {
    throw fault(
      origin,
      'this is no state of an optimizer; give an optNNNNNN.safetensors of unetc train, or an opt*.pt',
    );
  }
  const found = stateSchema.safeParse(parsed(text));
  if (!found.success) throw fault(origin, 'its state is damaged; go on from an older checkpoint');
  const { history, means, scale = null, ...rest } = found.data;
  return {
    ...rest,
    scale,
    history: history ? readHistory(tensor, origin, steps) : null,
    means: new Map(means.map(([key, mean, count]) => [key, { mean, count }])),
  };
}

function readHistory(
  tensor: (name: string) => StoredTensor | null,
  origin: Origin,
  steps: number,
): LossHistory {
  const [losses, counts] = [tensor(LOSSES)?.data, tensor(COUNTS)?.data];
  if (!(losses instanceof Float64Array) || !(counts instanceof Int32Array)) {
    throw fault(origin, `its history of losses is damaged; go on from an older checkpoint`);
  }
  const wrong = historyFault({ losses, counts }, steps);
  if (wrong !== null) throw fault(origin, `its history of losses is of another process: ${wrong}`);
  return { losses, counts };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
