// What a host writes, reads and keeps of an update: the numbers of a step, the sums of squares of its gradients and what they
// were multiplied by, and every parameter with its moments, moving averages and gradient.

import { type InputPort, type OutputPort, type StatePort, settingsLength } from '../../../runtime/bundle.ts';
import { type MemoryPlan, slotIn } from '../../memory/plan.ts';
import {
  COPIES,
  type ParameterArena,
  type PlacedParameter,
  SQUARE_SUMS,
  type Update,
} from '../../schedule/update.ts';

export function updateInputs({ averages }: Update, plan: MemoryPlan): readonly InputPort[] {
  const slot = slotIn(plan, { kind: 'step_settings' });
  return [
    { name: 'step_settings', encoding: 'plain', dtype: 'f32', shape: [settingsLength(averages)], slot },
  ];
}

export function updateOutputs({ arenas }: Update, plan: MemoryPlan): readonly OutputPort[] {
  const port = (name: 'square_sums' | 'gradient_scale', length: number): OutputPort => {
    return { name, encoding: 'plain', dtype: 'f32', shape: [length], slot: slotIn(plan, { kind: name }) };
  };
  return [port('square_sums', arenas.length * SQUARE_SUMS), port('gradient_scale', 4)];
}

/**
 * What lives from step to step: `parameters.NAME`, `exp_avg.NAME`, `exp_avg_sq.NAME`, `ema.0.NAME` …, and where gradients
 * wait for each other `grad.NAME`; of what is frozen the first alone.
 */
export function updateState(update: Update, plan: MemoryPlan): readonly StatePort[] {
  const averages = Array.from({ length: update.averages }, (_, k) => `ema.${k}`);
  return [...COPIES, ...averages]
    .flatMap((copy, k) => {
      // moments begin as zeros, parameters and moving averages as the checkpoint's
      const isParameter = k === 0 || k >= COPIES.length;
      return update.arenas.flatMap((arena, i) => {
        const slot = slotIn(plan, { kind: 'trained', arena: i });
        return arena.parameters.map((parameter) =>
          portOf(parameter, copy, slot, k * arena.bytes, isParameter ? parameter.name : null),
        );
      });
    })
    .concat(update.arenas.flatMap((arena, i) => gradientsOf(update, plan, arena, i)))
    .concat(update.still.flatMap((arena, i) => stillPorts(plan, arena, i)));
}

/** Frozen parameters, which begin and end as the checkpoint's. */
function stillPorts(
  plan: MemoryPlan,
  { parameters }: ParameterArena<PlacedParameter>,
  arena: number,
): readonly StatePort[] {
  const slot = slotIn(plan, { kind: 'still', arena });
  return parameters.map((parameter) => portOf(parameter, 'parameters', slot, 0, parameter.name));
}

/** Gradients that wait for each other. */
function gradientsOf(
  update: Update,
  plan: MemoryPlan,
  { bytes, parameters }: ParameterArena,
  arena: number,
): readonly StatePort[] {
  if (update.arenas[arena]!.alive !== null) return [];
  const slot = slotIn(plan, { kind: 'gradients', arena });
  const gradients = parameters.map((parameter) => portOf(parameter, 'grad', slot, 0, null));
  if (!update.accumulates) return gradients;
  const sums: StatePort = {
    ...{ name: `gradient_sums.${arena}`, encoding: 'plain', dtype: 'f32', shape: [bytes / 4] },
    ...{ slot: slotIn(plan, { kind: 'gradient_sums', arena }), offset: 0, initial: 'zeros' },
  };
  return [...gradients, sums];
}

function portOf(
  { name, shape, offset }: PlacedParameter,
  copy: string,
  slot: number,
  first: number,
  parameter: string | null,
): StatePort {
  const place = {
    slot,
    offset: first + offset,
    initial: parameter === null ? ('zeros' as const) : { parameter },
  };
  const port = { name: `${copy}.${name}`, dtype: 'f32' as const, ...place };
  return shape.length === 1
    ? { ...port, encoding: 'plain', shape }
    : { ...port, encoding: 'parameter', shape: [...shape] };
}
