// GPUs that the cost model knows, as published numbers: units, clocks, rates, bandwidths. What no vendor publishes, latencies
// of dispatches and of a step through memory, is an assumption, and says so in docs/gpu.md.

import { UsageError } from '../errors.ts';

export interface GpuFacts {
  readonly name: string;
  /** As people and reports call it. */
  readonly title: string;
  /** Told by the name that a driver gives its adapter. */
  readonly adapter: RegExp;
  /** Units that run workgroups: SMs, compute units, GPU or Xe cores. */
  readonly units: number;
  /** 10⁹ cycles a second, under load. */
  readonly ghz: number;
  /** Multiply-adds of float32 that a unit does in a cycle. */
  readonly fma: number;
  /** 10¹² operations a second of float16 products with float32 sums, dense; null where WebGPU reaches no matrix units. */
  readonly matrix_tflops: number | null;
  /** 10⁹ bytes a second between memory and the chip. */
  readonly gb_per_s: number;
  /** Bytes of workgroup memory of a unit: how many workgroups are there at once. */
  readonly shared_bytes: number;
  /** Microseconds from the end of a dispatch to the beginning of one that reads what it wrote. */
  readonly dispatch_us: number;
  /** Microseconds of a step of a workgroup's loop: a load from memory, a barrier, what is between. */
  readonly step_us: number;
  readonly source: string;
}

const NVIDIA = { dispatch_us: 2.5, step_us: 0.55 } as const;
const HOPPER = {
  ...{ units: 132, ghz: 1.755, fma: 128, matrix_tflops: 989, shared_bytes: 228 * 1024, ...NVIDIA },
} as const;

/** The GPUs, by the names that `--device` takes. */
export const DEVICES: readonly GpuFacts[] = [
  {
    ...{ name: 'h100', title: 'NVIDIA H100 SXM', adapter: /\bH100\b/i, ...HOPPER, gb_per_s: 3350 },
    source: 'NVIDIA H100 Tensor Core GPU Architecture, 2022 (SXM5, clock under load)',
  },
  {
    ...{ name: 'h200', title: 'NVIDIA H200 SXM', adapter: /\bH200\b/i, ...HOPPER, gb_per_s: 4800 },
    source: 'NVIDIA H200 Tensor Core GPU Datasheet, 2024; an H100 with HBM3e',
  },
  {
    ...{ name: 'a100', title: 'NVIDIA A100 80GB SXM', adapter: /\bA100\b/i, units: 108, ghz: 1.41, fma: 64 },
    ...{ matrix_tflops: 312, gb_per_s: 2039, shared_bytes: 164 * 1024, ...NVIDIA },
    source: 'NVIDIA A100 Tensor Core GPU Architecture, 2020',
  },
  {
    ...{ name: 'rtx4090', title: 'NVIDIA GeForce RTX 4090', adapter: /RTX 4090\b(?! Laptop)/i, units: 128 },
    ...{ ghz: 2.52, fma: 128, matrix_tflops: 165, gb_per_s: 1008, shared_bytes: 100 * 1024, ...NVIDIA },
    source: 'NVIDIA Ada GPU Architecture, 2023 (float32 sums: half the rate of float16 sums)',
  },
  {
    ...{ name: 'm1', title: 'Apple M1, 8 cores', adapter: /\bM1$/, units: 8, ghz: 1.278, fma: 128 },
    ...{ matrix_tflops: null, gb_per_s: 68, shared_bytes: 60 * 1024, dispatch_us: 6, step_us: 0.8 },
    source: 'Apple: 2.6 TFLOP/s, 68 GB/s; cores and lanes after D. Johnson, Apple GPU, 2022',
  },
  {
    ...{ name: 'm2-max', title: 'Apple M2 Max, 38 cores', adapter: /\bM2 Max\b/, units: 38, ghz: 1.398 },
    ...{ fma: 128, matrix_tflops: null, gb_per_s: 400, shared_bytes: 60 * 1024 },
    ...{ dispatch_us: 6, step_us: 0.8 },
    source: 'Apple: 13.6 TFLOP/s, 400 GB/s; cores and lanes after D. Johnson, Apple GPU, 2022',
  },
  {
    ...{ name: 'rx7900xtx', title: 'AMD Radeon RX 7900 XTX', adapter: /RX 7900 XTX\b/i, units: 96, ghz: 2.5 },
    ...{ fma: 64, matrix_tflops: 123, gb_per_s: 960, shared_bytes: 64 * 1024 },
    ...{ dispatch_us: 4, step_us: 0.7 },
    source: 'AMD RDNA 3 Instruction Set Architecture, 2023; without the second issue of a cycle',
  },
  {
    ...{ name: 'arc-a770', title: 'Intel Arc A770', adapter: /\bA770\b/i, units: 32, ghz: 2.1, fma: 128 },
    ...{ matrix_tflops: 137, gb_per_s: 560, shared_bytes: 64 * 1024, dispatch_us: 6, step_us: 0.8 },
    source: 'Intel Arc A-Series Graphics specifications, 2022 (16 GB)',
  },
];

/** The GPU of a name. Throws UsageError that lists those there are. */
export function findDevice(name: string): GpuFacts {
  const found = DEVICES.find((device) => device.name === name.toLowerCase());
  if (found !== undefined) return found;
  const known = DEVICES.map((device) => device.name).join(', ');
  throw new UsageError(`--device: found '${name}', expected a GPU that the cost model knows: ${known}`);
}

/** The GPU that an adapter calls itself, or null. */
export function deviceOf(adapter: {
  readonly device: string;
  readonly description: string;
}): GpuFacts | null {
  const names = [adapter.device, adapter.description];
  return DEVICES.find((one) => names.some((name) => one.adapter.test(name))) ?? null;
}
