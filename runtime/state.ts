// The state of a program: tensors that live from pass to pass in slots of their own, which the host reads and writes by
// name between passes.

import { answered } from './answered.ts';
import type { Manifest, StatePort } from './bundle.ts';
import { tensorFaults } from './check-inputs.ts';
import { RuntimeError } from './errors.ts';
import { guard } from './guard.ts';
import type { Memory } from './memory.ts';
import type { OpenedDevice } from './opened-device.ts';
import { decodePort, encodePort } from './port-values.ts';
import { bytesOfPort } from './ports.ts';
import { createScratch, type Scratch } from './scratch.ts';
import { elements, type Tensor } from './tensor.ts';
import type { ReadParameter } from './upload.ts';

/**
 * Both take their turn in the device's queue: behind the passes that were begun before, and before those that are begun
 * after. They throw RuntimeError('input') for a name that the bundle has no state of, and RuntimeError('gpu').
 */
export interface ProgramState {
  /** The tensor as the passes begun so far leave it. */
  read(name: string): Promise<Tensor>;
  /** Several of them, each as it stands at one moment, given one by one: there may be more than memory would hold twice. */
  readAll(names: readonly string[], take: (name: string, tensor: Tensor) => void): Promise<void>;
  /** Puts a tensor of the state's shape in its place. */
  write(name: string, tensor: Tensor): Promise<void>;
}

/** Bytes that are brought from the device at once. */
const STAGED_BYTES = 2 ** 26;

/** Bytes that a queue may hold on their way to the device. */
const WRITTEN_BYTES = 2 ** 22;

/**
 * Puts tensors in their places one by one; what has to be converted lies in `converted`, or in memory of its own. WebGPU copies
 * what is written aside and lets go of it when the queue has come so far, so that all states of a model would be there once more:
 * now and then the queue is waited for.
 */
function createPut(memory: Pick<Memory, 'buffer'>, opened: OpenedDevice, converted?: Scratch) {
  const { device } = opened;
  let waiting = 0;
  /** Resolves when what was written is in its place, and no copy of it is left. */
  const settle = async (what: string): Promise<void> => {
    waiting = 0;
    device.queue.submit([]);
    await answered(opened, what, () => device.queue.onSubmittedWorkDone());
  };
  const place = async (port: StatePort, tensor: Tensor, what: string): Promise<void> => {
    await guard(device, what, () => put(port, tensor, memory, device, converted));
    waiting += bytesOfPort(port);
    if (waiting >= WRITTEN_BYTES) await settle(what);
  };
  return { place, settle };
}

export function createState(
  { state }: Pick<Manifest, 'state'>,
  memory: Pick<Memory, 'buffer'>,
  opened: OpenedDevice,
): ProgramState {
  const { device } = opened;
  const ports = new Map(state.map((port) => [port.name, port]));
  const { place } = createPut(memory, opened);
  const find = (name: string): StatePort => {
    const port = ports.get(name);
    if (port !== undefined) return port;
    const there = state.length === 0 ? 'none' : state.map((one) => one.name).join(', ');
    throw new RuntimeError('input', `the bundle has no state called ${name}; it has ${there}`);
  };
  const readAll: ProgramState['readAll'] = async (names, take) => {
    for (const batch of batchesOf(names.map(find))) {
      const what = `reading state ${batch[0]!.port.name}`;
      const staging = await guard(device, what, () => copyOut(batch, memory, device));
      try {
        const mapped = await answered(opened, what, async () => {
          await staging.mapAsync(GPUMapMode.READ);
          return staging.getMappedRange();
        });
        for (const { port, at, bytes } of batch) {
          take(port.name, decodePort(port, new Uint8Array(mapped, at, bytes)));
        }
      } finally {
        staging.destroy();
      }
    }
  };
  return {
    readAll,
    async read(name) {
      const found: Tensor[] = [];
      await readAll([name], (_, tensor) => found.push(tensor));
      return found[0]!;
    },
    async write(name, tensor) {
      const port = find(name);
      const faults = tensorFaults(`state ${name}`, tensor, port.shape);
      if (faults.length > 0) throw new RuntimeError('input', faults.join('\n'));
      await place(port, tensor, `writing state ${name}`);
    },
  };
}

interface Staged {
  readonly port: StatePort;
  /** Where it stands among those that are brought with it. */
  readonly at: number;
  readonly bytes: number;
}

/** States that are brought together, one behind the other. */
function batchesOf(ports: readonly StatePort[]): readonly (readonly Staged[])[] {
  const batches: Staged[][] = [];
  let at = Number.POSITIVE_INFINITY;
  for (const port of ports) {
    const bytes = bytesOfPort(port);
    if (at + bytes > STAGED_BYTES) {
      batches.push([]);
      at = 0;
    }
    batches.at(-1)!.push({ port, at, bytes });
    at += bytes;
  }
  return batches;
}

function copyOut(batch: readonly Staged[], memory: Pick<Memory, 'buffer'>, device: GPUDevice): GPUBuffer {
  const { at, bytes } = batch.at(-1)!;
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = device.createBuffer({ label: 'state', size: at + bytes, usage });
  const encoder = device.createCommandEncoder();
  for (const { port, at, bytes } of batch) {
    encoder.copyBufferToBuffer(memory.buffer(port.slot), port.offset, staging, at, bytes);
  }
  device.queue.submit([encoder.finish()]);
  return staging;
}

/** Gives every state its first value, and what lies between states zeros. Throws what `read` throws, and RuntimeError('gpu'). */
export async function initializeState(
  { state }: Pick<Manifest, 'state'>,
  memory: Pick<Memory, 'buffer' | 'clear'>,
  read: ReadParameter,
  opened: OpenedDevice,
): Promise<void> {
  const { device } = opened;
  if (state.length === 0) return;
  await guard(device, 'zeros of states', () => {
    const encoder = device.createCommandEncoder();
    for (const slot of new Set(state.map((port) => port.slot))) memory.clear(slot, encoder);
    device.queue.submit([encoder.finish()]);
  });
  const longest = Math.max(0, ...state.map(({ shape }) => elements(shape)));
  // arrays that are made anew would wait for the collector beside all that is being filled
  const [scratch, converted] = [createScratch(longest), createScratch(longest)];
  const { place, settle } = createPut(memory, opened, converted);
  // a parameter is read once for all states that begin as it is
  const places = new Map<string, StatePort[]>();
  for (const port of state) {
    if (port.initial === 'zeros') continue;
    const { parameter } = port.initial;
    places.set(parameter, [...(places.get(parameter) ?? []), port]);
  }
  for (const [parameter, ports] of places) {
    const data = read(parameter, scratch);
    for (const port of ports) {
      await place(port, { shape: port.shape, data }, `the first value of state ${port.name}`);
    }
  }
  await settle('the first values of states');
}

function put(
  port: StatePort,
  tensor: Tensor,
  memory: Pick<Memory, 'buffer'>,
  device: GPUDevice,
  converted?: Scratch,
): void {
  const bytes = encodePort(port, tensor, converted?.floats);
  device.queue.writeBuffer(memory.buffer(port.slot), port.offset, bytes);
}
