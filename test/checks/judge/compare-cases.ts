// Golden cases on Dawn and on Deno's WebGPU: the same bits, where both have the same adapter.

import type { OpenedDevice } from '../../../runtime/opened-device.ts';
import { askDeno } from './ask-deno.ts';
import type { JudgedCase } from './cases.ts';
import { type RanCases, runCases } from './run-cases.ts';

export interface Compared {
  readonly name: string;
  readonly outputs: number;
  /** Outputs whose bits differ. */
  readonly differing: readonly string[];
  /** Seconds on Dawn and on Deno's WebGPU, compilation included. */
  readonly seconds: readonly [dawn: number, deno: number];
}

/**
 * Runs the cases on both. Throws where the adapters are two: compilers of drivers may contract and order operations as they
 * like, so that bits are promised on one alone.
 */
export async function compareCases(
  cases: readonly JudgedCase[],
  opened: OpenedDevice,
): Promise<readonly Compared[]> {
  const names = cases.map(({ name }) => name);
  const there = await askDeno<readonly string[], RanCases>('cases', names);
  const here = await runCases(cases, opened);
  const adapters = [here, there].map(({ adapter }) => adapter.description);
  if (!adapters.every((one) => one.includes('llvmpipe'))) {
    throw new Error(
      `Dawn has '${adapters[0]}' and Deno '${adapters[1]}'; bits are compared on lavapipe: set VK_DRIVER_FILES to its manifest`,
    );
  }
  return here.results.map(({ name, outputs, seconds }): Compared => {
    const other = there.results.find((one) => one.name === name);
    const keys = Object.keys(outputs);
    const differing = keys.filter((key) => outputs[key] !== other?.outputs[key]);
    return { name, outputs: keys.length, differing, seconds: [seconds, other?.seconds ?? Number.NaN] };
  });
}
