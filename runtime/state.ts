// The state of a program: tensors that live from pass to pass in slots of their own, which the host reads and writes by
// name between passes.

import type { Manifest, StatePort } from './bundle.ts';
import { tensorFaults } from './check-inputs.ts';
import { RuntimeError } from './errors.ts';
import { guard } from './guard.ts';
import type { Memory } from './memory.ts';
import { decodePort, encodePort } from './port-values.ts';
import { bytesOfPort } from './ports.ts';
import type { Tensor } from './tensor.ts';
import type { ReadParameter } from './upload.ts';

/**
 * Both take their turn in the device's queue: behind the passes that were begun before, and before those that are begun
 * after. They throw RuntimeError('input') for a name that the bundle has no state of, and RuntimeError('gpu').
 */
export interface ProgramState {
  /** The tensor as the passes begun so far leave it. */
  read(name: string): Promise<Tensor>;
  /** Puts a tensor of the state's shape in its place. */
  write(name: string, tensor: Tensor): Promise<void>;
}

export function createState(
  { state }: Pick<Manifest, 'state'>,
  memory: Pick<Memory, 'buffer'>,
  device: GPUDevice,
): ProgramState {
  const find = (name: string): StatePort => {
    const port = state.find((one) => one.name === name);
    if (port !== undefined) return port;
    const there = state.length === 0 ? 'none' : state.map((one) => one.name).join(', ');
    throw new RuntimeError('input', `the bundle has no state called ${name}; it has ${there}`);
  };
  return {
    async read(name) {
      const port = find(name);
      const size = bytesOfPort(port);
      const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
      const staging = await guard(device, `reading state ${name}`, () => {
        const made = device.createBuffer({ label: `state ${name}`, size, usage });
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(memory.buffer(port.slot), 0, made, 0, size);
        device.queue.submit([encoder.finish()]);
        return made;
      });
      try {
        await staging.mapAsync(GPUMapMode.READ);
        return decodePort(port, new Uint8Array(staging.getMappedRange().slice(0)));
      } finally {
        staging.destroy();
      }
    },
    async write(name, tensor) {
      const port = find(name);
      const faults = tensorFaults(`state ${name}`, tensor, port.shape);
      if (faults.length > 0) throw new RuntimeError('input', faults.join('\n'));
      await guard(device, `writing state ${name}`, () => put(port, tensor, memory, device));
    },
  };
}

/** Gives every state its first value. Throws what `read` throws, and RuntimeError('gpu'). */
export async function initializeState(
  { state }: Pick<Manifest, 'state'>,
  memory: Pick<Memory, 'buffer' | 'clear'>,
  read: ReadParameter,
  device: GPUDevice,
): Promise<void> {
  for (const port of state) {
    const { initial, shape, slot } = port;
    const data = initial === 'zeros' ? null : read(initial.parameter);
    await guard(device, `the first value of state ${port.name}`, () => {
      if (data !== null) return put(port, { shape, data }, memory, device);
      const encoder = device.createCommandEncoder();
      memory.clear(slot, encoder);
      device.queue.submit([encoder.finish()]);
    });
  }
}

function put(port: StatePort, tensor: Tensor, memory: Pick<Memory, 'buffer'>, device: GPUDevice): void {
  device.queue.writeBuffer(memory.buffer(port.slot), 0, encodePort(port, tensor));
}
