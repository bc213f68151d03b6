// A bundle on a device: buffers, pipelines and bind groups made once, then one command buffer a forward pass.

import type { Bundle, Manifest } from './bundle.ts';
import { checkInputs } from './check-inputs.ts';
import { RuntimeError } from './errors.ts';
import { guard } from './guard.ts';
import { fromChannelsLast, toChannelsLast } from './layout.ts';
import type { Model, ModelInputs, ModelInterface } from './model.ts';
import type { OpenedDevice } from './opened-device.ts';
import { createPipelineCache, type PipelineCache } from './pipelines.ts';
import { elements, type Tensor } from './tensor.ts';
import { timestepEmbedding } from './timestep-embedding.ts';
import { packPart } from './weights/pack.ts';

/** The values of a parameter by the graph's name, row-major float32. */
export type ReadParameter = (name: string) => Float32Array;

/** A model that runs on a GPU. */
export interface Program extends Model {
  readonly manifest: Manifest;
  /** Releases the buffers. The device stays open. */
  close(): void;
}

interface Output {
  readonly name: string;
  readonly shape: readonly number[];
  readonly slot: GPUBuffer;
  readonly bytes: number;
  readonly offset: number;
}

/**
 * Makes a bundle ready to run: uploads the weights, compiles the pipelines (all at once, off the main thread) and
 * binds every dispatch. Programs on one device that are given one `cache` compile what they share once.
 * Throws RuntimeError('gpu').
 */
export async function createProgram(
  bundle: Bundle,
  read: ReadParameter,
  opened: OpenedDevice,
  cache: PipelineCache = createPipelineCache(opened.device),
): Promise<Program> {
  const { manifest, kernels } = bundle;
  const { device } = opened;
  const pipelines = Promise.all(manifest.kernels.map(({ file }) => cache.get(file, kernels.get(file)!)));
  const buffers = await guard(device, 'allocating buffers', () => allocate(manifest, device)).catch(
    async (error) => {
      await pipelines.catch(() => undefined);
      throw error;
    },
  );
  uploadWeights(manifest, buffers.arenas, read, device);
  const steps = await bindDispatches(manifest, buffers, await pipelines, device);
  const outputs = placeOutputs(manifest, buffers.slots);
  const staging = device.createBuffer({
    label: 'readback',
    size: outputs.reduce((sum, output) => sum + output.bytes, 0),
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  opened.check();
  let busy = false;

  return {
    manifest,
    interface: interfaceOf(manifest),
    async run(inputs) {
      checkInputs(inputs, interfaceOf(manifest), manifest.inputs.x.shape);
      if (busy)
        throw new RuntimeError('input', 'a run of this program has not ended; await it before the next');
      busy = true;
      try {
        const done = await guard(device, 'a forward pass', () => {
          writeInputs(manifest, buffers.slots, inputs, device);
          encode(steps, outputs, staging, device);
          return staging.mapAsync(GPUMapMode.READ);
        });
        await done;
        opened.check();
        return readOutputs(outputs, staging);
      } catch (error) {
        opened.check();
        throw error instanceof RuntimeError
          ? error
          : new RuntimeError('gpu', `reading back results: ${String(error)}`);
      } finally {
        busy = false;
      }
    },
    close() {
      for (const buffer of [...buffers.arenas, ...buffers.slots, buffers.sizes, staging]) buffer.destroy();
    },
  };
}

/** What the model of a bundle takes. */
export function interfaceOf({ batch, inputs, outputs }: Manifest): ModelInterface {
  const [, channels, ...size] = inputs.x.shape;
  return {
    batch,
    in_channels: channels!,
    out_channels: outputs.find((o) => o.name === 'output')!.shape[1]!,
    image_size: size,
    num_classes: inputs.y?.classes ?? null,
    low_res_size: inputs.low_res?.shape.slice(2) ?? null,
  };
}

/** Offsets of uniform bindings are multiples of this. */
const UNIFORM_ALIGNMENT = 256;

interface Buffers {
  readonly arenas: readonly GPUBuffer[];
  readonly slots: readonly GPUBuffer[];
  /** The sizes of every dispatch, UNIFORM_ALIGNMENT bytes apart. */
  readonly sizes: GPUBuffer;
}

function allocate(manifest: Manifest, device: GPUDevice): Buffers {
  const { STORAGE, COPY_DST, COPY_SRC, UNIFORM } = GPUBufferUsage;
  const buffer = (label: string, size: number, usage: number) => device.createBuffer({ label, size, usage });
  const sizes = buffer('sizes', manifest.dispatches.length * UNIFORM_ALIGNMENT, UNIFORM | COPY_DST);
  manifest.dispatches.forEach((dispatch, i) => {
    device.queue.writeBuffer(sizes, i * UNIFORM_ALIGNMENT, Uint32Array.from(dispatch.sizes));
  });
  return {
    arenas: manifest.arenas.map((bytes, i) => buffer(`weights ${i}`, bytes, STORAGE | COPY_DST)),
    slots: manifest.slots.map((bytes, i) => buffer(`slot ${i}`, bytes, STORAGE | COPY_DST | COPY_SRC)),
    sizes,
  };
}

/** Packs and uploads the weights of one dispatch after the other, so that no second copy of them all exists. */
function uploadWeights(
  manifest: Manifest,
  arenas: readonly GPUBuffer[],
  read: ReadParameter,
  device: GPUDevice,
): void {
  for (const { arena, offset, length, parts } of manifest.weights) {
    const packed = new Float32Array(length);
    for (const part of parts) packPart(part, read(part.param), packed);
    device.queue.writeBuffer(arenas[arena]!, offset, packed);
    // writes are held in staging memory until a submit
    device.queue.submit([]);
  }
}

interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

function bindDispatches(
  manifest: Manifest,
  { arenas, slots, sizes }: Buffers,
  pipelines: readonly GPUComputePipeline[],
  device: GPUDevice,
): Promise<readonly Step[]> {
  return guard(device, 'binding buffers', () =>
    manifest.dispatches.map((dispatch, i): Step => {
      const pipeline = pipelines[dispatch.kernel]!;
      const storage = dispatch.bindings.map((binding): GPUBufferBinding => {
        if (binding.kind === 'slot') return { buffer: slots[binding.slot]! };
        const { arena, offset, length } = manifest.weights[binding.weights]!;
        return { buffer: arenas[arena]!, offset, size: length * 4 };
      });
      const uniform = { buffer: sizes, offset: i * UNIFORM_ALIGNMENT, size: dispatch.sizes.length * 4 };
      const entries = [uniform, ...storage].map((resource, binding) => ({ binding, resource }));
      const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
      return { pipeline, bindGroup, workgroups: dispatch.workgroups };
    }),
  );
}

function placeOutputs(manifest: Manifest, slots: readonly GPUBuffer[]): readonly Output[] {
  let offset = 0;
  return manifest.outputs.map(({ name, shape, slot }) => {
    const [batch = 1, channels = 1, ...space] = shape;
    const bytes = batch * elements(space) * Math.ceil(channels / 4) * 16;
    const output = { name, shape, slot: slots[slot]!, bytes, offset };
    offset += bytes;
    return output;
  });
}

function writeInputs(
  manifest: Manifest,
  slots: readonly GPUBuffer[],
  inputs: ModelInputs,
  device: GPUDevice,
): void {
  const { x, timesteps, y, low_res } = manifest.inputs;
  const write = (slot: number, data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>) => {
    device.queue.writeBuffer(slots[slot]!, 0, data);
  };
  write(x.slot, toChannelsLast(inputs.x));
  write(timesteps.slot, timestepEmbedding(inputs.timesteps, timesteps.dim, timesteps.max_period));
  if (y && inputs.y) write(y.slot, Uint32Array.from(inputs.y));
  if (low_res && inputs.low_res) write(low_res.slot, toChannelsLast(inputs.low_res));
}

function encode(
  steps: readonly Step[],
  outputs: readonly Output[],
  staging: GPUBuffer,
  device: GPUDevice,
): void {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { pipeline, bindGroup, workgroups } of steps) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
  for (const { slot, bytes, offset } of outputs) encoder.copyBufferToBuffer(slot, 0, staging, offset, bytes);
  device.queue.submit([encoder.finish()]);
}

function readOutputs(outputs: readonly Output[], staging: GPUBuffer): ReadonlyMap<string, Tensor> {
  const mapped = new Float32Array(staging.getMappedRange());
  const results = outputs.map(({ name, shape, bytes, offset }) => {
    const stored = mapped.subarray(offset / 4, (offset + bytes) / 4);
    return [name, fromChannelsLast(stored, shape)] as const;
  });
  staging.unmap();
  return new Map(results);
}
