// What each dispatch of a bundle is expected to take on a GPU, by a model that can be wrong in public: `stats` prints it before
// anything ran, `profile` beside what was measured.
//
//   time = dispatch + max(steps, arithmetic, memory)
//   steps:      waves · steps of a workgroup's loop · step of the device and of the kernel
//   arithmetic: waves of one workgroup a unit · operations of a workgroup / (peak of a unit · share of the peak)
//   memory:     bytes / (bandwidth · share of the bandwidth)
//
// A wave is what runs at once: as many workgroups a unit as its workgroup memory holds, eight at the most.

import { SOFTWARE } from '../../compiler/target.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { UsageError } from '../errors.ts';
import { sum } from '../statistics.ts';
import type { GpuFacts } from './devices.ts';
import { kernelFacts, sourceOf } from './kernel-facts.ts';
import { type Work, workOf } from './winograd-work.ts';

/**
 * Shares of a peak that kernels reach once the GPU is full. `arithmetic`: of eleven instructions of a tile's inner loop nine
 * are multiply-adds, and workgroup memory holds up half of these. `matrix`: loads of operands take as long as products, and
 * staging stops both. `memory`: what streams reach.
 */
export const SHARES = { arithmetic: 0.45, matrix: 0.27, memory: 0.8 } as const;

/** Workgroups that a unit keeps at once. */
const MOST_RESIDENT = 8;

export type Bound = 'steps' | 'arithmetic' | 'memory';

export interface Expected {
  /** Position among the manifest's dispatches. */
  readonly index: number;
  readonly us: number;
  /** Which of the three takes longest; `dispatch` where none takes as long as the dispatch itself. */
  readonly bound: Bound | 'dispatch';
  readonly workgroups: number;
  /** Steps of a workgroup's loop, each a barrier or a load behind the other. */
  readonly steps: number;
}

/** What a pass is expected to take. */
export interface ExpectedPass {
  readonly device: string;
  readonly title: string;
  /** Sum of the dispatches. */
  readonly ms: number;
  /** In the order they run, with the schedule's line. */
  readonly dispatches: readonly (Expected & { readonly kernel: string; readonly group: string })[];
}

/** The whole pass. Throws UsageError for a target that is no GPU's. */
export function expectedPass(bundle: Bundle, device: GpuFacts): ExpectedPass {
  const { manifest } = bundle;
  if (manifest.target === SOFTWARE.name) {
    throw new UsageError(
      `--device: found ${device.name} for the target ${SOFTWARE.name}, whose kernels are a processor's; expected a target ` +
        'for GPUs, such as --target generic',
    );
  }
  const dispatches = expectedTimes(bundle, device).map((one) => {
    const { group, kernel } = manifest.dispatches[one.index]!;
    return { ...one, kernel: sourceOf(manifest.kernels[kernel]!.file), group };
  });
  return {
    device: device.name,
    title: device.title,
    ms: sum(dispatches.map(({ us }) => us)) / 1000,
    dispatches,
  };
}

/** The dispatches in their order. */
export function expectedTimes({ manifest, kernels }: Bundle, device: GpuFacts): readonly Expected[] {
  const facts = manifest.kernels.map(({ file }) => kernelFacts(file, kernels.get(file)!));
  const sources = manifest.dispatches.map(({ kernel }) => sourceOf(manifest.kernels[kernel]!.file));
  // of Winograd's algorithm what it computes and moves itself
  const work = workOf(manifest.dispatches, sources);
  return manifest.dispatches.map((dispatch, index) => {
    const { matrix, shared, step, stepsOf, sliceBytesOf } = facts[dispatch.kernel]!;
    const workgroups = dispatch.workgroups.reduce((product, n) => product * n, 1);
    const steps = stepsOf(dispatch);
    const resident = Math.max(
      1,
      Math.min(MOST_RESIDENT, Math.floor(device.shared_bytes / Math.max(1, shared))),
    );
    const times: Readonly<Record<Bound, number>> = {
      steps: Math.ceil(workgroups / (device.units * resident)) * steps * step * device.step_us,
      arithmetic: arithmeticTime(work[index]!, workgroups, matrix, device),
      memory: (work[index]!.bytes + sliceBytesOf(dispatch)) / (device.gb_per_s * SHARES.memory * 1000),
    };
    const [bound, most] = longest(times);
    return {
      index,
      us: device.dispatch_us + most,
      bound: most < device.dispatch_us ? 'dispatch' : bound,
      workgroups,
      steps,
    };
  });
}

function arithmeticTime(
  { flops }: Work,
  workgroups: number,
  matrix: boolean,
  { units, ghz, fma, matrix_tflops }: GpuFacts,
): number {
  const ofUnit =
    matrix && matrix_tflops !== null
      ? (matrix_tflops * 1e6 * SHARES.matrix) / units
      : 2 * fma * ghz * 1000 * SHARES.arithmetic;
  return (Math.ceil(workgroups / units) * flops) / workgroups / ofUnit;
}

function longest(times: Readonly<Record<Bound, number>>): readonly [Bound, number] {
  const all = Object.entries(times) as [Bound, number][];
  return all.reduce((most, one) => (one[1] > most[1] ? one : most));
}
