// The error that ends a run whose losses or gradients are not finite: which step, which sample, which kernel, as far as each is known.

import { count } from '../../compiler/graph/words.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { LossScale } from '../../runtime/training/loss-scale.ts';
import type { BadPass, StepResult } from '../../runtime/training/training-step.ts';
import type { StepBatch } from './step-source.ts';

/** The run that the step is of. */
interface Run {
  /** The number of the step. */
  readonly position: number;
  /** What the loss was multiplied by in float16; null in float32. */
  readonly scale: LossScale | null;
  /** What messages call a sample of the data, by its place there. */
  readonly nameOf?: ((sample: number) => string) | undefined;
}

/** @param found what the pass says that was computed once more; null where none was */
export function notFinite(
  { position, scale, nameOf }: Run,
  { timesteps, samples }: StepBatch,
  { losses, grad_norm }: StepResult,
  found: BadPass | null,
): RuntimeError {
  const loss = losses.loss!;
  const bad = loss.findIndex((value) => !Number.isFinite(value));
  const sample = samples?.[bad];
  const which = sample === undefined ? '' : `, of the data ${nameOf?.(sample) ?? `sample ${sample}`}`;
  const squared = Number.isFinite(grad_norm) ? ', whose square is beyond float32' : '';
  const norm = `the gradients' norm is ${grad_norm}${squared}, and the losses are finite`;
  const scaled =
    'gradients overflow even of the loss times 2^0, the least that it is scaled by, and the losses are finite';
  const overflow = scale === null ? norm : scaled;
  const before = scale?.bad_losses ?? 0;
  const times = before === 0 ? '' : `, as in ${count(before, 'step')} before it`;
  const what =
    bad < 0
      ? overflow
      : `the loss of sample ${bad} of ${loss.length} (timestep ${timesteps[bad]}${which}) is ${loss[bad]}${times}`;
  const wider = scale === null ? '' : ', or in float32';
  const look = bad < 0 ? '' : ', and look at that sample';
  return new RuntimeError(
    'gpu',
    `step ${position}: ${what}${madeBy(found, bad < 0)}; the run ends there, and the last checkpoint is as it was: begin a new ` +
      `folder from it with a smaller learning rate${wider}${look}`,
  );
}

/** @param isGradient whether it is a gradient that is not finite, and no loss */
function madeBy(found: BadPass | null, isGradient: boolean): string {
  if (found === null) return '';
  const { kernel, exact } = found;
  const again = 'the pass was computed once more, with what the step had changed taken back but for rounding';
  if (kernel !== null) {
    return `; the first value that is not finite was made by ${kernel}${exact ? '' : ` (${again})`}`;
  }
  if (!exact) return `; no kernel was found to have made a value that is not finite: ${again}`;
  if (!isGradient) return '; computed once more, no kernel made a value that is not finite';
  return '; no kernel made a value that is not finite: every gradient is finite, and a sum over them, or over their squares, is not';
}
