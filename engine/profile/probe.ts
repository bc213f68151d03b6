// Measures what an adapter can do at most, by work that is nothing else: multiply-adds in registers, and for memory the
// faster of a kernel that reads and of a copy. It is what WebGPU gets there, not what the hardware's data sheet says.

import { answered } from '../../runtime/answered.ts';
import { guard } from '../../runtime/guard.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import { createTimer, type DispatchTimer, milliseconds } from '../../runtime/timing.ts';
import type { Peaks } from './profile.ts';

const WORKGROUP = 64;

/** Tries of a number of threads, of which the least time counts. */
const ROUNDS = 3;

/** Chains of multiply-adds that do not wait for each other, of four lanes each; what a thread does of each. */
const CHAINS = 3;
const STEPS = 256;
const UNROLLED = 8;

/** As many threads as keep the adapter busy for this long, within reason. */
const LONG_ENOUGH_MS = 5;
const FEWEST_THREADS = 2 ** 12;
const MOST_THREADS = 2 ** 21;

const ARITHMETIC = `
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let seed = vec4f(f32(id.x)) * 1e-9;
${lines(CHAINS, (i) => `  var a${i} = seed + ${i}.5;`)}
  for (var step = 0u; step < ${STEPS / UNROLLED}u; step++) {
${lines(CHAINS * UNROLLED, (i) => `    a${i % CHAINS} = fma(a${i % CHAINS}, vec4f(0.999), seed);`)}
  }
  out[id.x % ${FEWEST_THREADS}u] = ${Array.from({ length: CHAINS }, (_, i) => `a${i}`).join(' + ')};
}`;

/** More than any cache of a processor holds, and within what every adapter can bind. */
const READ_BYTES = 2 ** 27;
const VECTORS = READ_BYTES / 16;
const READS = 64;

const MEMORY = `
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(1) var<storage, read> data: array<vec4f>;
@compute @workgroup_size(${WORKGROUP})
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
  @builtin(workgroup_id) group: vec3u,
) {
  let first = group.x * ${WORKGROUP * READS}u + lane.x;
  var sum = vec4f();
  for (var i = 0u; i < ${READS}u; i++) { sum += data[first + i * ${WORKGROUP}u]; }
  out[id.x] = sum;
}`;

function lines(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => line(i)).join('\n');
}

/** Measures again and again what an adapter can do, and keeps the best that it does again. */
export interface Probe {
  /** One more moment: some tens of milliseconds on a processor. */
  round(): Promise<void>;
  /** What the best rounds reach, each number by itself. */
  peaks(): Peaks;
  /** Goes on until peaks have stayed the same for some rounds, or there were many. */
  settle(): Promise<void>;
  destroy(): void;
}

/** A peak is what so many rounds reach: a burst that an adapter does not do again is none. */
const REACHED = 3;

/** Rounds without a better one that settle it, what counts as better, and the most rounds that are waited for it. */
const QUIET_ROUNDS = 8;
const BETTER = 1.02;
const MOST_ROUNDS = 40;

/** A probe on a device that has TIMING_FEATURE, after its first rounds, which find how much work is long enough. */
export async function createProbe(opened: OpenedDevice): Promise<Probe> {
  const { device } = opened;
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const [out, data, copy] = await guard(device, 'allocating buffers to measure with', () => [
    device.createBuffer({ size: Math.max(FEWEST_THREADS, VECTORS / READS) * 16, usage: STORAGE }),
    device.createBuffer({ size: READ_BYTES, usage: STORAGE | COPY_SRC }),
    device.createBuffer({ size: READ_BYTES, usage: COPY_DST }),
  ]);
  const timer = createTimer(2, opened);
  const arithmetic = await compile(opened, ARITHMETIC, [out!]);
  const memory = await compile(opened, MEMORY, [out!, data!]);
  let threads = FEWEST_THREADS;
  while (
    threads < MOST_THREADS &&
    (await leastOf(ROUNDS, device, timer, arithmetic(threads))) < LONG_ENOUGH_MS
  )
    threads *= 2;
  const computed: number[] = [];
  const moved: number[] = [];
  const once = (encode: Encode) => leastOf(1, device, timer, encode);
  const probe: Probe = {
    async round() {
      const flops = threads * STEPS * CHAINS * 4 * 2;
      const computing = await leastOf(2, device, timer, arithmetic(threads));
      const reading = await once(memory(VECTORS / READS));
      const copying = await once((encoder) => encoder.copyBufferToBuffer(data!, 0, copy!, 0, READ_BYTES));
      computed.push(flops / computing / 1e6);
      // a copy moves every byte twice
      moved.push(Math.max(READ_BYTES / reading, (2 * READ_BYTES) / copying) / 1e6);
    },
    peaks: () => ({ gflops_per_s: reachedBy(computed), gb_per_s: reachedBy(moved), source: 'measured' }),
    async settle() {
      for (let quiet = 0, rounds = 0; quiet < QUIET_ROUNDS && rounds < MOST_ROUNDS; rounds++) {
        const before = probe.peaks();
        await probe.round();
        const after = probe.peaks();
        const better = (key: 'gflops_per_s' | 'gb_per_s') => after[key] > BETTER * before[key];
        quiet = better('gflops_per_s') || better('gb_per_s') ? 0 : quiet + 1;
      }
    },
    destroy() {
      timer.destroy();
      for (const buffer of [out!, data!, copy!]) buffer.destroy();
    },
  };
  return probe;
}

/** The best value that some rounds reach; of fewer rounds the least, and none of none. */
export function reachedBy(values: readonly number[]): number {
  const best = values.toSorted((a, b) => b - a);
  return best[Math.min(REACHED, best.length) - 1] ?? 0;
}

type Encode = (encoder: GPUCommandEncoder) => void;

/** A kernel that is run on so many threads. */
async function compile(
  opened: OpenedDevice,
  code: string,
  buffers: readonly GPUBuffer[],
): Promise<(threads: number) => Encode> {
  const { device } = opened;
  const module = device.createShaderModule({ code });
  const pipeline = await answered(opened, 'compiling a kernel to measure with', () =>
    device.createComputePipelineAsync({ layout: 'auto', compute: { module } }),
  );
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return (threads) => (encoder) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(threads / WORKGROUP);
    pass.end();
  };
}

/** The least milliseconds of several rounds, between two empty passes that write timestamps. */
async function leastOf(
  rounds: number,
  device: GPUDevice,
  timer: DispatchTimer,
  encode: Encode,
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await guard(device, 'measuring the adapter', () => {
      const encoder = device.createCommandEncoder();
      encoder.beginComputePass({ timestampWrites: timer.writes(0) }).end();
      encode(encoder);
      encoder.beginComputePass({ timestampWrites: timer.writes(1) }).end();
      timer.resolve(encoder);
      device.queue.submit([encoder.finish()]);
    });
    const [before, after] = await timer.read();
    times.push(milliseconds({ begin: before!.end, end: after!.begin }));
  }
  return Math.max(Math.min(...times), 1e-6);
}
