// Parameters as they were before an update of AdamW that changed them: what a pass is computed by once more to find the kernel
// that made a value which is not finite, where arenas had changed before that value was there. No parameter is kept for it: the
// moments behind the update say what it was, but for the rounding of its change.
//
//   p = (p' + lr / (1 - b1^n) · m / (√v / √(1 - b2^n) + eps)) / (1 - lr wd)

import type { ProgramState } from '../state.ts';
import type { Tensor } from '../tensor.ts';
import { EPSILON, type UpdatedTensors, type UpdateSettings, updateScales } from './adamw.ts';

type Updated = Omit<UpdatedTensors, 'emas'>;

/** A parameter before its update (`adamwUpdate`). What decays to nothing says nothing of what it was, and stays. */
export function beforeUpdate(
  { parameter, exp_avg, exp_avg_sq }: Updated,
  settings: UpdateSettings,
): Float32Array {
  const { decay, step_size, root_correction } = updateScales(settings);
  const [kept, step, root] = [decay, step_size, root_correction].map(Math.fround) as [number, number, number];
  if (kept === 0) return parameter.slice();
  return parameter.map((value, i) => {
    const denominator = Math.sqrt(exp_avg_sq[i]!) / root + EPSILON;
    return (value + step * (exp_avg[i]! / denominator)) / kept;
  });
}

/** Puts parameters of a program back to before their last update. Gives what puts them where they were. */
export async function takeBack(
  state: ProgramState,
  parameters: readonly { readonly name: string }[],
  settings: UpdateSettings,
): Promise<() => Promise<void>> {
  const changed = new Map<string, Tensor>();
  for (const { name } of parameters) {
    const place = `parameters.${name}`;
    const found: Tensor[] = [];
    await state.readAll([place, `exp_avg.${name}`, `exp_avg_sq.${name}`], (_, tensor) => found.push(tensor));
    const [tensor, exp_avg, exp_avg_sq] = found as [Tensor, Tensor, Tensor];
    changed.set(place, tensor);
    const updated = { parameter: tensor.data, exp_avg: exp_avg.data, exp_avg_sq: exp_avg_sq.data };
    await state.write(place, { shape: tensor.shape, data: beforeUpdate(updated, settings) });
  }
  return async () => {
    for (const [place, tensor] of changed) await state.write(place, tensor);
  };
}
