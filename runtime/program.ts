// A bundle on a device: memory, pipelines and bind groups made once, then one command buffer a forward pass.

import type { Bundle, InputPort, Manifest } from './bundle.ts';
import { checkInputs } from './check-inputs.ts';
import { RuntimeError } from './errors.ts';
import { guard } from './guard.ts';
import { allocate, type Memory, UNIFORM_ALIGNMENT } from './memory.ts';
import type { Model, ModelInputs, ModelInterface, TimeRow } from './model.ts';
import type { OpenedDevice } from './opened-device.ts';
import { type Output, placeOutputs, readOutputs } from './outputs.ts';
import { createPipelineCache, type PipelineCache } from './pipelines.ts';
import { encodePort, listOf } from './port-values.ts';
import { isRowPort, specOf } from './ports.ts';
import { createState, initializeState, type ProgramState } from './state.ts';
import type { Tensor } from './tensor.ts';
import { createTimePath } from './time-path.ts';
import type { DispatchTimer } from './timing.ts';
import { clearSlots, type Traced, traceDispatches } from './trace.ts';
import { type ReadParameter, uploadWeights } from './upload.ts';
import { warmUp } from './warm-up.ts';

export type { ReadParameter } from './upload.ts';

/** A model that runs on a GPU. */
export interface Program extends Model {
  readonly manifest: Manifest;
  /** What passes hand on to each other. */
  readonly state: ProgramState;
  /** As a model does; a `timer` of as many dispatches as the bundle has gets when each of them ran. */
  run(inputs: ModelInputs, timer?: DispatchTimer): Promise<ReadonlyMap<string, Tensor>>;
  /** One pass, dispatch by dispatch, with what each of them wrote. */
  trace(inputs: ModelInputs): AsyncGenerator<Traced, void, undefined>;
  /** Releases the memory. The device stays open. */
  close(): void;
}

/** Passes that may be under way at once. The queue keeps their order, so they share all memory but the results'. */
const IN_FLIGHT = 2;

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
  const { device, pacing } = opened;
  const pipelines = pacing.unhurried(() =>
    manifest.kernels.map(({ file }) => cache.get(file, kernels.get(file)!)),
  );
  const compiled = Promise.allSettled(pipelines);
  const memory = await guard(device, 'allocating buffers', () => allocate(manifest, device)).catch(
    async (error) => {
      await compiled;
      throw error;
    },
  );
  const face = interfaceOf(manifest);
  const steps = await prepare(bundle, memory, read, pipelines, opened)
    .then(async (prepared) => {
      // Behind the first run of each kernel, which writes to whatever it binds.
      await initializeState(manifest, memory, read, device);
      return prepared;
    })
    .catch((error) => {
      memory.destroy();
      opened.check();
      throw error;
    });
  const outputs = placeOutputs(manifest, memory);
  const readbacks = Array.from({ length: IN_FLIGHT }, () =>
    device.createBuffer({
      label: 'readback',
      size: outputs.reduce((sum, output) => sum + output.bytes, 0),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    }),
  );
  opened.check();
  const free = [...readbacks];
  const times = manifest.time_path.dispatches;
  const timePath =
    times === 0
      ? null
      : createTimePath({
          manifest,
          device,
          buffer: memory.buffer,
          write: (rows) => writeRows(manifest, memory, rows, device),
          encode: (encoder) => encodeSteps(steps.slice(0, times), encoder),
        });
  // A pass behind another takes as long as both; how long is expected is remembered apart.
  const pauses = readbacks.map(() => pacing.createPause(opened.adapter.isFallback));

  return {
    manifest,
    interface: face,
    state: createState(manifest, memory, device),
    // A processor that computes has no time in which the host's work would be hidden.
    in_flight: opened.adapter.isFallback ? 1 : IN_FLIGHT,
    async run(inputs, timer) {
      checkInputs(inputs, face.inputs);
      const pause = pauses[IN_FLIGHT - free.length];
      const staging = free.pop();
      if (staging === undefined || pause === undefined) {
        throw new RuntimeError(
          'input',
          `${IN_FLIGHT} runs of this program have not ended; await one before the next`,
        );
      }
      try {
        await guard(device, 'a forward pass', () => {
          const encoder = device.createCommandEncoder();
          // each dispatch is timed, those of the time path too
          const left = timePath === null || timer !== undefined ? steps : steps.slice(times);
          if (left !== steps) timePath?.recall(rowsOf(manifest, inputs), encoder);
          writeInputs(manifest, memory, inputs, device);
          encodeSteps(left, encoder, timer);
          finish(encoder, outputs, staging, device, timer);
        });
        await pause.until(() => staging.mapAsync(GPUMapMode.READ));
        opened.check();
        return readOutputs(outputs, staging);
      } catch (error) {
        opened.check();
        throw error instanceof RuntimeError
          ? error
          : new RuntimeError('gpu', `reading back results: ${String(error)}`);
      } finally {
        free.push(staging);
      }
    },
    prepareTimes: (rows) => guard(device, 'the time path', () => timePath?.remember(rows)),
    async *trace(inputs) {
      checkInputs(inputs, face.inputs);
      await guard(device, 'writing inputs', () => {
        clearSlots(manifest, memory, device);
        writeInputs(manifest, memory, inputs, device);
      });
      yield* traceDispatches(manifest, memory, device, (i, encoder) => encodeSteps([steps[i]!], encoder));
    },
    close() {
      memory.destroy();
      timePath?.destroy();
      for (const readback of readbacks) readback.destroy();
    },
  };
}

/**
 * Uploads the weights, binds every dispatch and, where drivers compile kernels at their first run, runs each kernel as
 * soon as it has its pipeline, all at once.
 */
async function prepare(
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

/** What the model of a bundle takes and gives. */
export function interfaceOf({ batch, inputs, outputs }: Manifest): ModelInterface {
  return { batch, inputs: inputs.map(specOf), outputs: outputs.map(specOf) };
}

interface Step {
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

function writeInputs(manifest: Manifest, memory: Memory, inputs: ModelInputs, device: GPUDevice): void {
  for (const port of manifest.inputs) {
    device.queue.writeBuffer(memory.buffer(port.slot), 0, encodePort(port, inputs[port.name]!));
  }
}

/** Writes what the rows of a whole batch have of every port of one number a row. */
function writeRows(manifest: Manifest, memory: Memory, rows: readonly TimeRow[], device: GPUDevice): void {
  for (const port of rowPorts(manifest)) {
    const values = rows.map((row) => row[port.name]!);
    device.queue.writeBuffer(memory.buffer(port.slot), 0, encodePort(port, values));
  }
}

/** What each row of a batch has in the ports of one number a row. */
function rowsOf(manifest: Manifest, inputs: ModelInputs): readonly TimeRow[] {
  const lists = rowPorts(manifest).map(({ name }) => [name, listOf(inputs[name]!)] as const);
  return Array.from({ length: manifest.batch }, (_, k) =>
    Object.fromEntries(lists.map(([name, list]) => [name, list[k]!])),
  );
}

function rowPorts({ inputs }: Manifest): readonly InputPort[] {
  return inputs.filter(isRowPort);
}

function finish(
  encoder: GPUCommandEncoder,
  outputs: readonly Output[],
  staging: GPUBuffer,
  device: GPUDevice,
  timer?: DispatchTimer,
): void {
  timer?.resolve(encoder);
  for (const { slot, bytes, offset } of outputs) encoder.copyBufferToBuffer(slot, 0, staging, offset, bytes);
  device.queue.submit([encoder.finish()]);
}

function encodeSteps(steps: readonly Step[], encoder: GPUCommandEncoder, timer?: DispatchTimer): void {
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
