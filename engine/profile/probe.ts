// Measures what an adapter can do at most, by work that is nothing else: multiply-adds in registers, and for memory the
// faster of a kernel that reads and of a copy. It is what WebGPU gets there, not what the hardware's data sheet says.

import { guard } from '../../runtime/guard.ts';
import { createTimer, type DispatchTimer, milliseconds } from '../../runtime/timing.ts';
import type { Peaks } from './profile.ts';

const WORKGROUP = 64;
const ROUNDS = 5;

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

/** The best of several rounds on a device that has TIMING_FEATURE. Takes about a second on a processor. */
export async function measurePeaks(device: GPUDevice): Promise<Peaks> {
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const [out, data, copy] = await guard(device, 'allocating buffers to measure with', () => [
    device.createBuffer({ size: Math.max(FEWEST_THREADS, VECTORS / READS) * 16, usage: STORAGE }),
    device.createBuffer({ size: READ_BYTES, usage: STORAGE | COPY_SRC }),
    device.createBuffer({ size: READ_BYTES, usage: COPY_DST }),
  ]);
  const timer = createTimer(2, device);
  try {
    const arithmetic = await compile(device, ARITHMETIC, [out!]);
    let threads = FEWEST_THREADS;
    let ms = await best(device, timer, arithmetic(threads));
    while (ms < LONG_ENOUGH_MS && threads < MOST_THREADS) {
      threads *= 2;
      ms = await best(device, timer, arithmetic(threads));
    }
    const memory = await compile(device, MEMORY, [out!, data!]);
    const reading = await best(device, timer, memory(VECTORS / READS));
    const copying = await best(device, timer, (encoder) =>
      encoder.copyBufferToBuffer(data!, 0, copy!, 0, READ_BYTES),
    );
    return {
      gflops_per_s: (threads * STEPS * CHAINS * 4 * 2) / ms / 1e6,
      // A copy moves every byte twice.
      gb_per_s: Math.max(READ_BYTES / reading, (2 * READ_BYTES) / copying) / 1e6,
      source: 'measured',
    };
  } finally {
    timer.destroy();
    for (const buffer of [out!, data!, copy!]) buffer.destroy();
  }
}

type Encode = (encoder: GPUCommandEncoder) => void;

/** A kernel that is run on so many threads. */
async function compile(
  device: GPUDevice,
  code: string,
  buffers: readonly GPUBuffer[],
): Promise<(threads: number) => Encode> {
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
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
async function best(device: GPUDevice, timer: DispatchTimer, encode: Encode): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
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
