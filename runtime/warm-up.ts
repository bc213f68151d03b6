// The first run of every kernel, while weights load. Drivers of processors generate the code of a kernel when it is
// first dispatched: up to a second each, on one thread, where their cache on disk does not hold it. So one workgroup of
// each is run ahead. Where that is slow, a second device of the same adapter starts from the other end: what it compiles
// gets into the cache, and from there to the first.

import { answered } from './answered.ts';
import type { Bundle } from './bundle.ts';
import { guard } from './guard.ts';
import type { OpenedDevice } from './opened-device.ts';
import type { Watchdog } from './watchdog.ts';

/** A dispatch that needs no more than to be recorded. */
export interface Dispatchable {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
}

/** A kernel that took this many milliseconds was compiled; one in the cache takes some. */
const COMPILED_MS = 30;

/** What a binding of the second device needs at the most: kernels read what lies beyond as something that is there. */
const STAND_IN_BYTES = 4096;

/**
 * Runs one workgroup of each kernel's first dispatch, one after the other, so that what is written to the queue meanwhile
 * has its turn between them. What they write is overwritten before it is read: by every pass, and of states by their
 * first values. `first` is asked for a kernel's when its turn comes, and may wait for its pipeline.
 */
export async function warmUp(
  bundle: Bundle,
  first: (kernel: number) => Promise<Dispatchable>,
  opened: OpenedDevice,
  watchdog: Watchdog,
): Promise<void> {
  const left = bundle.manifest.kernels.map((_, kernel) => kernel);
  let helping: Promise<void> | null = null;
  for (let kernel = left.shift(); kernel !== undefined; kernel = left.shift()) {
    const { file } = bundle.manifest.kernels[kernel]!;
    const ran = runOnce(opened, await first(kernel));
    const took = await watchdog.until(ran, () => `the first run of kernels/${file}`);
    if (took < COMPILED_MS || helping !== null || opened.twin === null) continue;
    helping = help(bundle, left, opened.twin).catch(() => undefined);
  }
  await helping;
}

/** Compiles from the end of `left` on a second device until nothing is left. */
async function help(bundle: Bundle, left: number[], twin: () => Promise<OpenedDevice>): Promise<void> {
  const { manifest, kernels } = bundle;
  const opened = await twin();
  const { device, pacing, pipelines } = opened;
  try {
    const width = manifest.texture_width;
    for (let kernel = left.pop(); kernel !== undefined; kernel = left.pop()) {
      const { file } = manifest.kernels[kernel]!;
      const { bindings, sizes } = manifest.dispatches.find((one) => one.kernel === kernel)!;
      const pipeline = await pacing.unhurried(() => pipelines.get(file, kernels.get(file)!));
      const uniform = uniformOf(device, Uint32Array.from(sizes));
      const standIns = bindings.map((binding) =>
        isTexture(bundle, binding) ? standInTexture(device, width) : standInBuffer(device),
      );
      const entries = [uniform, ...standIns].map((resource, i) => ({ binding: i, resource }));
      const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
      await runOnce(opened, { pipeline, bindGroup });
    }
  } finally {
    await opened.close();
  }
}

type Binding = Bundle['manifest']['dispatches'][number]['bindings'][number];

function isTexture({ manifest }: Bundle, binding: Binding): boolean {
  return binding.kind === 'slot'
    ? manifest.slots[binding.slot]!.storage === 'texture'
    : manifest.weights[binding.weights]!.arena === null;
}

function uniformOf(device: GPUDevice, sizes: Uint32Array<ArrayBuffer>): GPUBufferBinding {
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: sizes.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, sizes);
  return { buffer };
}

function standInBuffer(device: GPUDevice): GPUBufferBinding {
  return { buffer: device.createBuffer({ size: STAND_IN_BYTES, usage: GPUBufferUsage.STORAGE }) };
}

function standInTexture(device: GPUDevice, width: number): GPUTextureView {
  const usage = GPUTextureUsage.STORAGE_BINDING;
  return device.createTexture({ size: [width, 1], format: 'rgba32float', usage }).createView();
}

/**
 * Waits until it has run, and tells the milliseconds since it was its turn: on a busy machine the weights that are copied
 * before it take as long as compiling.
 */
async function runOnce(opened: OpenedDevice, { pipeline, bindGroup }: Dispatchable): Promise<number> {
  const { device, pacing } = opened;
  const what = 'running a kernel for the first time';
  const run = () =>
    guard(device, what, () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(1);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
  const done = () => device.queue.onSubmittedWorkDone().then(() => performance.now());
  const [turn, , end] = await answered(opened, what, () =>
    pacing.unhurried(() => Promise.all([done(), run(), done()])),
  );
  return end - turn;
}
