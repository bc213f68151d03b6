// The dispatches of a program, bound and ready to be encoded.

import { signatureOf } from './bind-layouts.ts';
import type { Bundle, Dispatch, Manifest } from './bundle.ts';
import { describeDispatch } from './describe-dispatch.ts';
import { guard } from './guard.ts';
import type { Memory } from './memory.ts';
import type { OpenedDevice } from './opened-device.ts';
import type { DispatchTimer } from './timing.ts';
import { type ReadParameter, uploadWeights } from './upload.ts';
import { warmUp } from './warm-up.ts';
import type { Watchdog } from './watchdog.ts';

/** A pass being recorded. */
export interface Recorder {
  readonly encoder: GPUCommandEncoder;
  /** Where a pass may be several submissions: when one ends and the next one begins. */
  readonly cuts: Cuts | null;
}

export interface Cuts {
  /** Whether a submission begins with a step. Asked once for each, in their order. */
  begins(step: Pick<Step, 'flops'>): boolean;
  /** Submits what was recorded; `step` is the first of what follows. */
  submit(step: Pick<Step, 'name'>): void;
}

export interface Step {
  /** What it is, for messages. */
  readonly name: () => string;
  /** Operations, as its bundle says. */
  readonly flops: number;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
  /** Copies into textures what the dispatch wrote; null where it wrote to buffers that are read as such. */
  readonly copy: ((encoder: GPUCommandEncoder) => void) | null;
}

/** A kernel that is compiled. */
interface Kernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** The same for kernels whose dispatches may have one bind group. */
  readonly binds: string;
}

/** Binds dispatches of a program. Those that bind the same have one bind group: a driver gives each some memory. */
function createBinder(manifest: Manifest, memory: Memory, device: GPUDevice) {
  const bindGroups = new Map<string, GPUBindGroup>();
  const bindGroupOf = (index: number, { layout, binds }: Kernel): GPUBindGroup => {
    const { bindings } = manifest.dispatches[index]!;
    const sizes = memory.sizes[index]!;
    const key = JSON.stringify([binds, sizes.offset, sizes.size, bindings]);
    const known = bindGroups.get(key);
    if (known !== undefined) return known;
    const storage = bindings.map((binding) =>
      binding.kind === 'slot' ? slotOf(memory, binding) : memory.weights[binding.weights]!,
    );
    const entries = [sizes, ...storage].map((resource, binding) => ({ binding, resource }));
    const made = device.createBindGroup({ layout, entries });
    bindGroups.set(key, made);
    return made;
  };
  return (index: number, kernel: Kernel): Step => {
    const name = () => describeDispatch(manifest, index);
    const { flops, workgroups, copies = [] } = manifest.dispatches[index]!;
    const copyAll = (encoder: GPUCommandEncoder) => {
      for (const one of copies) memory.copyIn(encoder, one);
    };
    return {
      ...{ name, flops, workgroups },
      pipeline: kernel.pipeline,
      bindGroup: bindGroupOf(index, kernel),
      copy: copies.length === 0 ? null : copyAll,
    };
  };
}

function slotOf(memory: Memory, { slot, part }: SlotBinding): GPUBindingResource {
  if (part === undefined) return memory.slots[slot]!;
  return { buffer: memory.buffer(slot), offset: part.offset, size: part.bytes };
}

type SlotBinding = Extract<Dispatch['bindings'][number], { kind: 'slot' }>;

/**
 * Uploads the weights, binds every dispatch and, where drivers compile kernels at their first run, runs each kernel as
 * soon as it has its pipeline, all at once.
 */
export async function prepareSteps(
  bundle: Bundle,
  memory: Memory,
  read: ReadParameter,
  pipelines: readonly Promise<GPUComputePipeline>[],
  opened: OpenedDevice,
  watchdog: Watchdog,
): Promise<readonly Step[]> {
  const { manifest } = bundle;
  const { device } = opened;
  const bind = createBinder(manifest, memory, device);
  const kernels = pipelines.map(async (compiling, i): Promise<Kernel> => {
    const pipeline = await compiling;
    const binds = signatureOf(bundle.kernels.get(manifest.kernels[i]!.file)!) ?? `kernel ${i}`;
    return { pipeline, binds, layout: pipeline.getBindGroupLayout(0) };
  });
  const bindAll = async () => {
    const compiled = await Promise.all(kernels);
    const steps = () => manifest.dispatches.map(({ kernel }, i) => bind(i, compiled[kernel]!));
    return guard(device, 'binding memory', steps);
  };
  const bindFirst = async (kernel: number) => {
    const compiled = await kernels[kernel]!;
    const dispatch = manifest.dispatches.findIndex((one) => one.kernel === kernel);
    return guard(device, 'binding memory', () => bind(dispatch, compiled));
  };
  // none may be left running when another fails
  const settled = Promise.allSettled([
    bindAll(),
    opened.adapter.isFallback ? warmUp(bundle, bindFirst, opened, watchdog) : null,
    uploadWeights(manifest, memory, read, opened),
  ]);
  // on a device that was given up nothing ends any more
  const [steps, warm, uploaded] = await Promise.race([settled, failing(opened)]);
  if (uploaded.status === 'rejected') throw uploaded.reason;
  if (steps.status === 'rejected') throw steps.reason;
  if (warm.status === 'rejected') throw warm.reason;
  return steps.value;
}

/** Rejects where the device is lost or given up. */
async function failing({ lost }: OpenedDevice): Promise<never> {
  const error = await lost;
  if (error !== null) throw error;
  return new Promise(() => undefined);
}

/** Records dispatches, in as few compute passes as copies, submissions and a timer allow. */
export function encodeSteps(steps: readonly Step[], recorder: Recorder, timer?: DispatchTimer): void {
  const { cuts } = recorder;
  let pass: GPUComputePassEncoder | null = null;
  let pipeline: GPUComputePipeline | null = null;
  const end = () => {
    pass?.end();
    pass = null;
    pipeline = null;
  };
  steps.forEach((step, i) => {
    // timestamps are written where compute passes begin and end
    if (timer) end();
    if (cuts?.begins(step)) {
      end();
      cuts.submit(step);
    }
    const writes = timer?.writes(i);
    const timestampWrites = writes && step.copy ? beginOf(writes) : writes;
    pass ??= recorder.encoder.beginComputePass(timestampWrites && { timestampWrites });
    if (pipeline !== step.pipeline) pass.setPipeline(step.pipeline);
    pipeline = step.pipeline;
    pass.setBindGroup(0, step.bindGroup);
    pass.dispatchWorkgroups(...step.workgroups);
    if (step.copy === null) return;
    end();
    step.copy(recorder.encoder);
    // a pass of its own for the time behind the copies
    if (writes) recorder.encoder.beginComputePass({ timestampWrites: endOf(writes) }).end();
  });
  end();
}

function beginOf({ querySet, beginningOfPassWriteIndex }: GPUComputePassTimestampWrites) {
  return { querySet, beginningOfPassWriteIndex: beginningOfPassWriteIndex! };
}

function endOf({ querySet, endOfPassWriteIndex }: GPUComputePassTimestampWrites) {
  return { querySet, endOfPassWriteIndex: endOfPassWriteIndex! };
}
