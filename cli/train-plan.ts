// What `unetc train --dry-run` prints: memory, blocks, and the time of a step with what it is based on.

import { memorySummary, printBlocks } from '../engine/compile/training-memory.ts';
import type { TrainingPlan } from '../engine/training/plan-run.ts';

/** The plan as lines. */
export function printPlan(plan: TrainingPlan): string {
  const { name, batch, microbatch, steps, parameters, memory, adapter, target } = plan;
  const cut = microbatch < batch ? ` in microbatches of ${microbatch}` : '';
  const length = steps === null ? 'without an end' : `${steps.toLocaleString('en-US')} steps`;
  return [
    `${name}: ${parameters.toLocaleString('en-US')} parameters, ${batch} samples a step${cut}, ${length}, on ${adapter} (${target})`,
    ...memorySummary(memory),
    ...(plan.validation_bytes === null
      ? []
      : [`${(plan.validation_bytes / 1e6).toFixed(1)} MB beside it for the loss of held-out images`]),
    ...(plan.process_bytes === null
      ? []
      : [
          `some ${(plan.process_bytes / 1e6).toFixed(0)} MB of this machine's memory with the process around it`,
        ]),
    timeOf(plan),
    printBlocks(memory),
  ].join('\n');
}

function timeOf({ flops, step_seconds, steps }: TrainingPlan): string {
  const work = `${(flops / 1e9).toFixed(1)} GFLOP a step`;
  if (step_seconds === null)
    return `${work}; nothing is known of this adapter's pace, unetc bench --train measures it`;
  const each = `some ${duration(step_seconds)} a step by the 10 GFLOP/s that lavapipe reaches on a processor`;
  const all = steps === null ? '' : `, ${duration(step_seconds * steps)} in all`;
  return `${work}: ${each}${all}; unetc bench --train measures it`;
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toPrecision(2)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
