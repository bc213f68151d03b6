// Finds the kernel that made the first NaN or infinity of a forward pass, and says what is known of it.

import { describeDispatch } from './describe-dispatch.ts';
import type { ModelInputs } from './model.ts';
import type { Program } from './program.ts';
import { firstBad } from './sampler/finite.ts';
import type { Tracing } from './trace.ts';

export interface BadKernel {
  /** Which dispatch it is and what it wrote, in words. */
  readonly told: string;
  /** Whether it stored an infinity in float16, which ends at 65504: in float32 there may be room for it. */
  readonly overflow: boolean;
}

/** Null where every dispatch of a pass over these inputs wrote finite values; `tracing` as of `trace`. */
export async function findBadKernel(
  program: Pick<Program, 'manifest' | 'trace'>,
  inputs: ModelInputs,
  tracing?: Tracing,
): Promise<BadKernel | null> {
  for await (const { dispatch, dtype, values } of program.trace(inputs, tracing)) {
    const bad = firstBad(values);
    if (bad < 0) continue;
    const count = values.reduce((n, value) => (Number.isFinite(value) ? n : n + 1), 0);
    const told =
      `${describeDispatch(program.manifest, dispatch)}: ` +
      `${count} of ${values.length} values are not finite, the first is ${values[bad]} at ${bad}`;
    return { told, overflow: dtype === 'f16' && values.some((value) => Math.abs(value) === Infinity) };
  }
  return null;
}
