// A bundle on a device: memory, pipelines and bind groups made once, then one command buffer a pass.

import type { Bundle, InputPort, Manifest, OutputPort } from './bundle.ts';
import { checkInputs } from './check-inputs.ts';
import { guard } from './guard.ts';
import { createInterface, type Layouts, layoutsOf, writeInputs } from './interface.ts';
import { allocate, type Memory } from './memory.ts';
import type { Model, ModelInputs, ModelInterface, TimeRow } from './model.ts';
import type { OpenedDevice } from './opened-device.ts';
import { bytesOfOutputs, type Output, type Place, placeOutputs } from './outputs.ts';
import { findPass, inputsOf, inputsReadFrom, type Pass, passesOf } from './passes.ts';
import type { PipelineCache } from './pipelines.ts';
import { encodePort, listOf } from './port-values.ts';
import { isRowPort, specOf } from './ports.ts';
import { createState, initializeState, type ProgramState } from './state.ts';
import { encodeSteps, prepareSteps, type Recorder, type Step } from './steps.ts';
import { createSubmitter, IN_FLIGHT } from './submit.ts';
import type { Tensor } from './tensor.ts';
import { createTimePath } from './time-path.ts';
import type { DispatchTimer } from './timing.ts';
import { clearSlots, type Traced, type Tracing, traceDispatches } from './trace.ts';
import { type ReadParameter, uploadWeights } from './upload.ts';
import { createWatchdog, patienceFor, type Watchdog } from './watchdog.ts';

export type { ReadParameter } from './upload.ts';

/** A model that runs on a GPU. */
export interface Program extends Model {
  readonly manifest: Manifest;
  /** What passes hand on to each other. */
  readonly state: ProgramState;
  readonly opened: OpenedDevice;
  /** What ends a pass that does not end. */
  readonly watchdog: Watchdog;
  /** The first pass, to be submitted together with that of another program on the device. */
  readonly forward: ForwardPass;
  /** As a model does: the first pass. A `timer` of as many dispatches as it has gets when each of them ran. */
  run(inputs: ModelInputs, timer?: DispatchTimer): Promise<ReadonlyMap<string, Tensor>>;
  /** A pass of the bundle by name, with the inputs that it takes. Throws as `run` does. */
  runPass(name: string, inputs: ModelInputs): Promise<ReadonlyMap<string, Tensor>>;
  /**
   * Passes by their names, one behind the other in one submission, with the inputs that they take between them; all that they
   * give is read at its end. Throws as `run` does.
   */
  runPasses(
    names: readonly string[],
    inputs: ModelInputs,
    timer?: DispatchTimer,
  ): Promise<ReadonlyMap<string, Tensor>>;
  /**
   * Puts other weights in the place of those that it was made with, behind the passes that were begun before. Of a bundle whose
   * weights the host fills. Throws what `read` throws, and RuntimeError('gpu').
   */
  upload(read: ReadParameter): Promise<void>;
  /**
   * The first pass, dispatch by dispatch, with what each of them wrote. States are changed as by any pass, unless `tracing` has it
   * otherwise.
   */
  trace(inputs: ModelInputs, tracing?: Tracing): AsyncGenerator<Traced, void, undefined>;
  /** Releases the memory. The device stays open. */
  close(): void;
}

/** The first pass of a program as something to record. */
export interface ForwardPass {
  readonly inputs: readonly InputPort[];
  readonly outputs: readonly OutputPort[];
  /** The buffer of a port's slot. */
  buffer(slot: number): GPUBuffer;
  /** Where an output is read from. */
  place(port: OutputPort): Place;
  /** Writes the inputs. What is not given stands in its slot already. */
  write(inputs: ModelInputs, recorder: Recorder): void;
  /** Records the dispatches, behind the inputs that were written. */
  encode(recorder: Recorder): void;
}

/** How a program is made, beyond what its bundle says. */
export interface ProgramSettings {
  /** Programs on one device that are given one cache compile what they share once. */
  readonly cache?: PipelineCache;
  /** Who converts between the rows of the interface and the quads of kernels: a GPU itself, for a processor the host. */
  readonly layouts?: Layouts;
  /** Operations of a submission; a pass that has more is several. Default: what no driver's watchdog ends (submissions.ts). */
  readonly operations?: number;
}

/**
 * Makes a bundle ready to run: uploads the weights, compiles the pipelines (all at once, off the main thread) and
 * binds every dispatch. Throws RuntimeError('gpu').
 */
export async function createProgram(
  bundle: Bundle,
  read: ReadParameter,
  opened: OpenedDevice,
  { cache = opened.pipelines, layouts = layoutsOf(opened), operations }: ProgramSettings = {},
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
  const watchdog = createWatchdog(opened, patienceFor(manifest, opened.adapter.isFallback));
  const [steps, face] = await prepareSteps(bundle, memory, read, pipelines, opened, watchdog)
    .then(async (prepared) => {
      // Behind the first run of each kernel, which writes to whatever it binds.
      await initializeState(manifest, memory, read, opened);
      return [prepared, await createInterface(manifest, memory, opened, layouts)] as const;
    })
    .catch((error) => {
      memory.destroy();
      opened.check();
      throw error;
    });
  const passes = passesOf(manifest).map((pass): ReadyPass => {
    const read = placeOutputs(pass.outputs, face.place);
    return { ...pass, steps: steps.slice(pass.first, pass.end), read };
  });
  const forward = passes[0]!;
  const submitter = createSubmitter(
    opened,
    passes.reduce((sum, { read }) => sum + bytesOfOutputs(read), 0),
    watchdog,
    operations,
  );
  opened.check();
  const times = manifest.time_path.dispatches;
  const timed = inputsOf(manifest.dispatches.slice(0, times), forward.inputs).filter(isRowPort);
  // what the time path alone reads is not written where its results are recalled
  const others = inputsReadFrom(times, manifest.dispatches, forward.inputs);
  const untimed = forward.inputs.filter((port) => !timed.includes(port) || others.includes(port));
  const timePath =
    times === 0
      ? null
      : createTimePath({
          manifest: { ...manifest, inputs: timed },
          device,
          buffer: memory.buffer,
          write: (rows) => writeRows(timed, memory, rows, device),
          encode: (encoder) => encodeSteps(steps.slice(0, times), { encoder, cuts: null }),
        });

  // a timer times every dispatch, so the time path is computed and not recalled
  const recalls = (pass: ReadyPass, timer?: DispatchTimer) =>
    timePath !== null && pass === forward && timer === undefined;
  const writePass = (
    pass: ReadyPass,
    inputs: ModelInputs,
    { encoder }: Recorder,
    timer?: DispatchTimer,
  ): void => {
    const recalled = recalls(pass, timer);
    // rows that are not known yet are computed from where the inputs are written, so that comes first
    if (recalled) timePath!.recall(rowsOf(forward, manifest.batch, inputs), encoder);
    writeInputs(recalled ? untimed : pass.inputs, face, inputs, encoder);
  };
  const encodePass = (pass: ReadyPass, recorder: Recorder, timer?: DispatchTimer): void =>
    encodeSteps(recalls(pass, timer) ? pass.steps.slice(times) : pass.steps, recorder, timer);
  const runPass = async (pass: ReadyPass, inputs: ModelInputs, timer?: DispatchTimer) => {
    checkInputs(inputs, pass.inputs);
    const encode = (recorder: Recorder) => {
      writePass(pass, inputs, recorder, timer);
      encodePass(pass, recorder, timer);
    };
    return submitter.run({ name: `the pass ${pass.name}`, outputs: pass.read, timer, encode });
  };

  const runPasses: Program['runPasses'] = async (names, inputs, timer) => {
    const chosen = names.map((name) => findPass(passes, name));
    const [only] = chosen;
    if (only !== undefined && chosen.length === 1) return runPass(only, inputs, timer);
    const given = distinct(chosen.flatMap((pass) => pass.inputs));
    checkInputs(inputs, given);
    const outputs = placeOutputs(distinct(chosen.flatMap((pass) => pass.outputs)), face.place);
    const all = chosen.flatMap((pass) => pass.steps);
    const encode = (recorder: Recorder) => {
      writeInputs(given, face, inputs, recorder.encoder);
      encodeSteps(all, recorder, timer);
    };
    return submitter.run({ name: `the passes ${names.join(', ')}`, outputs, timer, encode });
  };

  return {
    manifest,
    opened,
    watchdog,
    forward: {
      inputs: forward.inputs,
      outputs: forward.outputs,
      buffer: memory.buffer,
      place: face.place,
      write: (inputs, recorder) => writePass(forward, inputs, recorder),
      encode: (recorder) => encodePass(forward, recorder),
    },
    interface: interfaceOf(manifest),
    state: createState(manifest, memory, opened),
    // A processor that computes has no time in which the host's work would be hidden.
    in_flight: opened.adapter.isFallback ? 1 : IN_FLIGHT,
    run: (inputs, timer) => runPass(forward, inputs, timer),
    runPass: (name, inputs) => runPasses([name], inputs),
    runPasses,
    reuse: (outputs) => face.reuse(outputs.values()),
    prepareTimes: (rows) => guard(device, 'the time path', () => timePath?.remember(rows)),
    async upload(read) {
      await uploadWeights(manifest, memory, read, opened);
      timePath?.forget();
    },
    async *trace(inputs, tracing = {}) {
      checkInputs(inputs, forward.inputs);
      await guard(device, 'writing inputs', () => {
        clearSlots(manifest, memory, device, tracing);
        const encoder = device.createCommandEncoder();
        writeInputs(forward.inputs, face, inputs, encoder);
        device.queue.submit([encoder.finish()]);
      });
      const encode = (i: number, encoder: GPUCommandEncoder) =>
        encodeSteps([steps[i]!], { encoder, cuts: null });
      yield* traceDispatches(manifest, memory, opened, forward, encode, tracing);
    },
    close() {
      memory.destroy();
      face.destroy();
      timePath?.destroy();
      submitter.destroy();
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
}

/** Ports that several passes have, once. */
function distinct<P extends { readonly name: string }>(ports: readonly P[]): readonly P[] {
  return [...new Map(ports.map((port) => [port.name, port])).values()];
}

/** Writes what the rows of a whole batch have of the inputs of the time path. */
function writeRows(
  inputs: readonly InputPort[],
  memory: Memory,
  rows: readonly TimeRow[],
  device: GPUDevice,
): void {
  for (const port of inputs) {
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
