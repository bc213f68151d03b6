// The dispatches of a program, bound and ready to be encoded.

import type { Bundle, Manifest } from './bundle.ts';
import { guard } from './guard.ts';
import { type Memory, UNIFORM_ALIGNMENT } from './memory.ts';
import type { OpenedDevice } from './opened-device.ts';
import type { DispatchTimer } from './timing.ts';
import { type ReadParameter, uploadWeights } from './upload.ts';
import { warmUp } from './warm-up.ts';

export interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

function bindDispatch(
  manifest: Manifest,
  memory: Memory,
  index: number,
  pipeline: GPUComputePipeline,
  device: GPUDevice,
): Step {
  const dispatch = manifest.dispatches[index]!;
  const storage = dispatch.bindings.map((binding) =>
    binding.kind === 'slot' ? memory.slots[binding.slot]! : memory.weights[binding.weights]!,
  );
  const sizes = {
    buffer: memory.sizes,
    offset: index * UNIFORM_ALIGNMENT,
    size: dispatch.sizes.length * 4,
  };
  const entries = [sizes, ...storage].map((resource, binding) => ({ binding, resource }));
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return { pipeline, bindGroup, workgroups: dispatch.workgroups };
}

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
): Promise<readonly Step[]> {
  const { manifest } = bundle;
  const { device } = opened;
  const bind = (dispatch: number, pipeline: GPUComputePipeline) =>
    bindDispatch(manifest, memory, dispatch, pipeline, device);
  const bindAll = async () => {
    const compiled = await Promise.all(pipelines);
    const steps = () => manifest.dispatches.map(({ kernel }, i) => bind(i, compiled[kernel]!));
    return guard(device, 'binding memory', steps);
  };
  const bindFirst = async (kernel: number) => {
    const pipeline = await pipelines[kernel]!;
    const dispatch = manifest.dispatches.findIndex((one) => one.kernel === kernel);
    return guard(device, 'binding memory', () => bind(dispatch, pipeline));
  };
  // none may be left running when another fails
  const [steps, warm, uploaded] = await Promise.allSettled([
    bindAll(),
    opened.adapter.isFallback ? warmUp(bundle, bindFirst, opened) : null,
    uploadWeights(manifest, memory, read, opened),
  ]);
  if (uploaded.status === 'rejected') throw uploaded.reason;
  if (steps.status === 'rejected') throw steps.reason;
  if (warm.status === 'rejected') throw warm.reason;
  return steps.value;
}

export function encodeSteps(steps: readonly Step[], encoder: GPUCommandEncoder, timer?: DispatchTimer): void {
  // Timestamps are written where passes begin and end.
  const passes = timer ? steps.map((step) => [step]) : [steps];
  passes.forEach((dispatches, i) => {
    const pass = encoder.beginComputePass(timer && { timestampWrites: timer.writes(i) });
    for (const { pipeline, bindGroup, workgroups } of dispatches) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
  });
}
