// A bundle on a device: memory, pipelines and bind groups made once, then one command buffer a pass.

import type { Bundle, Manifest } from './bundle.ts';
import { checkInputs } from './check-inputs.ts';
import { RuntimeError } from './errors.ts';
import { guard } from './guard.ts';
import { allocate, type Memory } from './memory.ts';
import type { Model, ModelInputs, ModelInterface, TimeRow } from './model.ts';
import type { OpenedDevice } from './opened-device.ts';
import { type Output, placeOutputs, readOutputs } from './outputs.ts';
import { findPass, type Pass, passesOf } from './passes.ts';
import { createPipelineCache, type PipelineCache } from './pipelines.ts';
import { encodePort, listOf } from './port-values.ts';
import { isRowPort, specOf } from './ports.ts';
import { createState, initializeState, type ProgramState } from './state.ts';
import { encodeSteps, prepareSteps, type Step } from './steps.ts';
import type { Tensor } from './tensor.ts';
import { createTimePath } from './time-path.ts';
import type { DispatchTimer } from './timing.ts';
import { clearSlots, type Traced, traceDispatches } from './trace.ts';
import type { ReadParameter } from './upload.ts';

export type { ReadParameter } from './upload.ts';

/** A model that runs on a GPU. */
export interface Program extends Model {
  readonly manifest: Manifest;
  /** What passes hand on to each other. */
  readonly state: ProgramState;
  /** As a model does: the first pass. A `timer` of as many dispatches as it has gets when each of them ran. */
  run(inputs: ModelInputs, timer?: DispatchTimer): Promise<ReadonlyMap<string, Tensor>>;
  /** A pass of the bundle by name, with the inputs that it takes. Throws as `run` does. */
  runPass(name: string, inputs: ModelInputs): Promise<ReadonlyMap<string, Tensor>>;
  /** The first pass, dispatch by dispatch, with what each of them wrote. */
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
  const steps = await prepareSteps(bundle, memory, read, pipelines, opened)
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
  const passes = passesOf(manifest).map((pass): ReadyPass => {
    const outputs = placeOutputs(pass.outputs, memory);
    const bytes = outputs.reduce((sum, output) => sum + output.bytes, 0);
    return { ...pass, steps: steps.slice(pass.first, pass.end), read: outputs, bytes };
  });
  const forward = passes[0]!;
  const readbacks = Array.from({ length: IN_FLIGHT }, () =>
    device.createBuffer({
      label: 'readback',
      size: Math.max(...passes.map(({ bytes }) => bytes)),
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
          manifest: { ...manifest, inputs: forward.inputs },
          device,
          buffer: memory.buffer,
          write: (rows) => writeRows(forward, memory, rows, device),
          encode: (encoder) => encodeSteps(steps.slice(0, times), encoder),
        });
  // A pass behind another takes as long as both; how long is expected is remembered apart.
  const pauses = readbacks.map(() => pacing.createPause(opened.adapter.isFallback));

  const runPass = async (pass: ReadyPass, inputs: ModelInputs, timer?: DispatchTimer) => {
    checkInputs(inputs, pass.inputs);
    const pause = pauses[IN_FLIGHT - free.length];
    const staging = free.pop();
    if (staging === undefined || pause === undefined) {
      throw new RuntimeError(
        'input',
        `${IN_FLIGHT} runs of this program have not ended; await one before the next`,
      );
    }
    try {
      await guard(device, `the pass ${pass.name}`, () => {
        const encoder = device.createCommandEncoder();
        // a timer times every dispatch, so the time path is computed and not recalled
        const recalled = timePath !== null && pass === forward && timer === undefined;
        if (recalled) timePath.recall(rowsOf(forward, manifest.batch, inputs), encoder);
        writeInputs(pass, memory, inputs, device);
        encodeSteps(recalled ? pass.steps.slice(times) : pass.steps, encoder, timer);
        finish(encoder, pass.read, staging, device, timer);
      });
      if (pass.read.length === 0) {
        await pause.until(() => device.queue.onSubmittedWorkDone());
        opened.check();
        return new Map();
      }
      await pause.until(() => staging.mapAsync(GPUMapMode.READ));
      opened.check();
      return readOutputs(pass.read, staging);
    } catch (error) {
      opened.check();
      throw error instanceof RuntimeError
        ? error
        : new RuntimeError('gpu', `reading back results: ${String(error)}`);
    } finally {
      free.push(staging);
    }
  };

  return {
    manifest,
    interface: interfaceOf(manifest),
    state: createState(manifest, memory, device),
    // A processor that computes has no time in which the host's work would be hidden.
    in_flight: opened.adapter.isFallback ? 1 : IN_FLIGHT,
    run: (inputs, timer) => runPass(forward, inputs, timer),
    runPass: async (name, inputs) => runPass(findPass(passes, name), inputs),
    prepareTimes: (rows) => guard(device, 'the time path', () => timePath?.remember(rows)),
    async *trace(inputs) {
      checkInputs(inputs, forward.inputs);
      await guard(device, 'writing inputs', () => {
        clearSlots(manifest, memory, device);
        writeInputs(forward, memory, inputs, device);
      });
      const encode = (i: number, encoder: GPUCommandEncoder) => encodeSteps([steps[i]!], encoder);
      yield* traceDispatches(manifest, memory, device, forward, encode);
    },
    close() {
      memory.destroy();
      timePath?.destroy();
      for (const readback of readbacks) readback.destroy();
    },
  };
}

/** What the model of a bundle, its first pass, takes and gives. */
export function interfaceOf(manifest: Manifest): ModelInterface {
  const { inputs, outputs } = passesOf(manifest)[0]!;
  return { batch: manifest.batch, inputs: inputs.map(specOf), outputs: outputs.map(specOf) };
}

/** A pass that is bound: its steps, and where its outputs are read from. */
interface ReadyPass extends Pass {
  readonly steps: readonly Step[];
  readonly read: readonly Output[];
  readonly bytes: number;
}

function writeInputs({ inputs: ports }: Pass, memory: Memory, inputs: ModelInputs, device: GPUDevice): void {
  for (const port of ports) {
    device.queue.writeBuffer(memory.buffer(port.slot), 0, encodePort(port, inputs[port.name]!));
  }
}

/** Writes what the rows of a whole batch have of every port of one number a row. */
function writeRows({ inputs }: Pass, memory: Memory, rows: readonly TimeRow[], device: GPUDevice): void {
  for (const port of inputs.filter(isRowPort)) {
    const values = rows.map((row) => row[port.name]!);
    device.queue.writeBuffer(memory.buffer(port.slot), 0, encodePort(port, values));
  }
}

/** What each row of a batch has in the ports of one number a row. */
function rowsOf({ inputs: ports }: Pass, batch: number, inputs: ModelInputs): readonly TimeRow[] {
  const lists = ports.filter(isRowPort).map(({ name }) => [name, listOf(inputs[name]!)] as const);
  return Array.from({ length: batch }, (_, k) =>
    Object.fromEntries(lists.map(([name, list]) => [name, list[k]!])),
  );
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
