// What times and sizes of dispatches say: rates, shares, and how near each comes to the roofline.
//
//   roofline time = max(operations / peak operations per second, bytes / peak bytes per second)
//   share of the roofline = roofline time / time
//
// Source: Williams, Waterman, Patterson, "Roofline: An Insightful Visual Performance Model", CACM 52(4), 2009.

import type { Manifest } from '../../runtime/bundle.ts';
import { sourceOf } from '../expected/kernel-facts.ts';
import { workOf } from '../expected/winograd-work.ts';
import { median, sum } from '../statistics.ts';

/** Clocks of GPUs tick in steps of up to a microsecond: what took less than two says nothing of a rate. */
const LEAST_MS = 0.002;

/** What the adapter can do at most. */
export interface Peaks {
  /** 10⁹ floating-point operations a second, a multiply-add counted as two. */
  readonly gflops_per_s: number;
  /** 10⁹ bytes a second between kernels and whatever memory or cache holds the bytes. */
  readonly gb_per_s: number;
  readonly source: 'measured' | 'given';
}

/**
 * Peaks that no dispatch is beyond: what a dispatch of the model reached, the adapter can do, whatever the probes saw of it.
 * Peaks that were given stay.
 */
export function raisedPeaks(
  peaks: Peaks,
  given: Partial<Pick<Peaks, 'gflops_per_s' | 'gb_per_s'>>,
  dispatches: readonly Pick<Cost, 'ms' | 'gflops_per_s' | 'gb_per_s'>[],
): Peaks {
  const best = (key: 'gflops_per_s' | 'gb_per_s') =>
    given[key] ??
    dispatches.reduce((most, one) => (one.ms < LEAST_MS ? most : Math.max(most, one[key])), peaks[key]);
  return { ...peaks, gflops_per_s: best('gflops_per_s'), gb_per_s: best('gb_per_s') };
}

/** What was spent on some work, and at which rates. */
export interface Cost {
  readonly ms: number;
  /** Of the GPU time of a pass. */
  readonly share: number;
  /** Operations of the algorithm that is used: Winograd's own, not those of the sum that it replaces. */
  readonly flops: number;
  /** Bytes that have to be moved at the least: every operand and result once. */
  readonly bytes: number;
  readonly gflops_per_s: number;
  readonly gb_per_s: number;
  /** Of the roofline: 1 is as fast as it can be. Null where less time passed than clocks tell apart. */
  readonly roofline: number | null;
}

export interface DispatchProfile extends Cost {
  readonly index: number;
  /** The schedule's line. */
  readonly group: string;
  readonly path: string;
  readonly kernel: string;
  readonly ms_min: number;
  /** What the cost model expects of it, where it knows the GPU. */
  readonly expected_ms?: number;
}

/** All dispatches of the kernels that were made of one source. */
export interface KernelProfile extends Cost {
  readonly kernel: string;
  readonly dispatches: number;
  readonly pipelines: number;
}

export interface Analysis {
  /** Sum of the dispatches' medians. */
  readonly gpu_ms: number;
  /** Operations of the model without Winograd's algorithm; more than those of `total` where that is used. */
  readonly plain_flops: number;
  /** The whole pass as one piece of work. */
  readonly total: Cost;
  /** In the order they run. */
  readonly dispatches: readonly DispatchProfile[];
  /** The longest first. */
  readonly kernels: readonly KernelProfile[];
}

/**
 * Analyses the times of several runs, `times[run][dispatch]` in milliseconds, at least one run.
 */
export function analyse(
  { dispatches, kernels }: Pick<Manifest, 'dispatches' | 'kernels'>,
  times: readonly (readonly number[])[],
  peaks: Peaks,
): Analysis {
  const medians = dispatches.map((_, i) => median(times.map((run) => run[i]!)));
  const gpu_ms = sum(medians);
  const cost = (ms: number, flops: number, bytes: number): Cost => costOf(ms, flops, bytes, gpu_ms, peaks);
  const names = dispatches.map(({ kernel }) => sourceOf(kernels[kernel]!.file));
  const work = workOf(dispatches, names);
  const profiles = dispatches.map(
    ({ group, path }, index): DispatchProfile => ({
      index,
      group,
      path,
      kernel: names[index]!,
      ...cost(medians[index]!, work[index]!.flops, work[index]!.bytes),
      ms_min: Math.min(...times.map((run) => run[index]!)),
    }),
  );
  const sources = [...new Set(profiles.map(({ kernel }) => kernel))].map((source): KernelProfile => {
    const own = profiles.filter(({ kernel }) => kernel === source);
    return {
      kernel: source,
      dispatches: own.length,
      pipelines: new Set(own.map(({ index }) => dispatches[index]!.kernel)).size,
      ...addUp(own, cost),
    };
  });
  return {
    gpu_ms,
    plain_flops: sum(dispatches.map(({ flops }) => flops)),
    total: addUp(profiles, cost),
    dispatches: profiles,
    kernels: sources.toSorted((a, b) => b.ms - a.ms),
  };
}

function addUp(costs: readonly Cost[], cost: (ms: number, flops: number, bytes: number) => Cost): Cost {
  const total = (key: 'ms' | 'flops' | 'bytes') => sum(costs.map((one) => one[key]));
  return cost(total('ms'), total('flops'), total('bytes'));
}

function costOf(ms: number, flops: number, bytes: number, whole: number, peaks: Peaks): Cost {
  const rate = (amount: number) => (ms > 0 ? amount / ms / 1e6 : 0);
  const rooflineMs = Math.max(flops / peaks.gflops_per_s, bytes / peaks.gb_per_s) / 1e6;
  return {
    ms,
    share: whole > 0 ? ms / whole : 0,
    flops,
    bytes,
    gflops_per_s: rate(flops),
    gb_per_s: rate(bytes),
    roofline: ms >= LEAST_MS ? rooflineMs / ms : null,
  };
}
