// The state of one of PyTorch's Adam optimizers, as `torch.save(optimizer.state_dict(), …)` writes it:
//
//   {state: {i: {step, exp_avg, exp_avg_sq}}, param_groups: [{…, params: [0, …, n - 1]}]}
//
// `step` is a tensor without dimensions, and before PyTorch 1.12 a number.

import { type ByteSource, fault, type Origin } from '../../bytes.ts';
import { elements } from '../../tensor.ts';
import { readArchive } from './archive.ts';
import { isKind, type PickleTensor, type PickleValue, tensorOf } from './pickle-values.ts';
import { checkTensors, readTensor } from './stored-tensors.ts';

/** What the optimizer keeps of one tensor that it changes. */
export interface OptimizerEntry {
  /** Updates so far. */
  readonly step: number;
  /** Values of each moment. */
  readonly length: number;
  /** The moments, row-major; read when they are asked for. */
  exp_avg(): Float32Array;
  exp_avg_sq(): Float32Array;
}

const MOMENTS = ['exp_avg', 'exp_avg_sq'] as const;

/**
 * The entries in the order of the parameters. The caller closes `source` behind the last read. Throws a RuntimeError of
 * `origin.kind` where the file is no such state, with what it is and what to give.
 */
export function optimizerEntries(source: ByteSource, origin: Origin): readonly OptimizerEntry[] {
  const head = source.read(0, Math.min(2, source.size));
  if (head[0] !== 0x50 || head[1] !== 0x4b) {
    throw fault(
      origin,
      'this is no archive as torch.save writes it since PyTorch 1.6; load it there and save it again, or begin without it',
    );
  }
  const { unpickled, storages } = readArchive(source, origin);
  const state = field(unpickled.value, 'state');
  if (!isKind(state, 'dict') || field(unpickled.value, 'param_groups') === undefined) {
    throw fault(
      origin,
      'this is no state of an optimizer ({state, param_groups}): weights are given as weights, and the optimizer is the opt*.pt beside them',
    );
  }
  const indices = [...state.entries.keys()];
  if (!indices.every((key, i) => key === i)) throw fault(origin, ORDER);
  const tensors = new Map<string, PickleTensor>();
  for (const [index, entry] of state.entries) {
    for (const name of [...MOMENTS, 'step'] as const) {
      const found = tensorOf(field(entry, name));
      if (found !== null) tensors.set(`${index}.${name}`, found);
    }
  }
  const where = storages(tensors);
  checkTensors(tensors, where, origin);
  const read = (name: string) => readTensor(name, tensors.get(name)!, where, origin);
  return indices.map((index) => {
    const moments = MOMENTS.map((name) => tensors.get(`${index}.${name}`));
    const [length, other] = moments.map((tensor) => (tensor === undefined ? null : elements(tensor.shape)));
    if (length == null || length !== other) {
      throw fault(
        origin,
        `entry ${index} of its state has no exp_avg and exp_avg_sq; only AdamW's state is gone on from`,
      );
    }
    const step = field(state.entries.get(index), 'step');
    return {
      step:
        typeof step === 'number'
          ? step
          : tensors.has(`${index}.step`)
            ? read(`${index}.step`)[0]!
            : Number.NaN,
      length,
      exp_avg: () => read(`${index}.exp_avg`),
      exp_avg_sq: () => read(`${index}.exp_avg_sq`),
    };
  });
}

const ORDER =
  'the entries of its state are not those of parameters 0, 1, … in their order: some were never updated; begin without it';

function field(value: PickleValue | undefined, name: string): PickleValue | undefined {
  return isKind(value, 'dict') ? value.entries.get(name) : undefined;
}
