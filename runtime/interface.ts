// The interface of a program on its device: inputs on their way into slots, outputs on their way out. What a host gives and
// takes is row-major, what kernels read and write stands in quads. A GPU converts between them itself (layout-kernels.ts);
// where a processor computes, the host does, for a dispatch there costs as much and the bytes stay in the same memory.

import type { InputPort, OutputPort } from './bundle.ts';
import { guard } from './guard.ts';
import { createLayoutConverter, isConvertible } from './layout-kernels.ts';
import type { Memory } from './memory.ts';
import type { ModelInputs, PortValue } from './model.ts';
import type { OpenedDevice } from './opened-device.ts';
import type { Place } from './outputs.ts';
import { decodePort, encodePort, floats } from './port-values.ts';
import { bytesOfPort } from './ports.ts';
import { createReusedMemory, type ReusedMemory } from './reused-memory.ts';
import { createScratch } from './scratch.ts';
import { elements, type Tensor } from './tensor.ts';

/** Who converts between rows and quads. */
export type Layouts = 'host' | 'adapter';

export interface Interface {
  /** Writes a value into its port's slot, and records what has to run for that. */
  write(port: InputPort, value: PortValue, encoder: GPUCommandEncoder): void;
  /** Where an output is copied from. */
  place(port: OutputPort): Place;
  /** Writes later outputs where these stand, which nobody reads any longer. */
  reuse(outputs: Iterable<Tensor>): void;
  /** Releases the memory. */
  destroy(): void;
}

/** Who converts where the caller does not say: measured, a processor that runs shaders gains nothing by it. */
export function layoutsOf({ adapter }: Pick<OpenedDevice, 'adapter'>): Layouts {
  return adapter.isFallback ? 'host' : 'adapter';
}

/** Memory and bindings for the ports of a program. Throws RuntimeError('gpu'). */
export async function createInterface(
  { inputs, outputs }: { readonly inputs: readonly InputPort[]; readonly outputs: readonly OutputPort[] },
  memory: Pick<Memory, 'buffer'>,
  { device, pipelines, allocate }: OpenedDevice,
  layouts: Layouts,
): Promise<Interface> {
  const given = layouts === 'adapter' ? inputs.filter(isConverted) : [];
  const taken = layouts === 'adapter' ? outputs.filter(isConverted) : [];
  const results = createReusedMemory(allocate);
  const host = convertedByHost(memory, device, results);
  if (given.length === 0 && taken.length === 0) return host;
  const converter = await createLayoutConverter(device, pipelines);
  const made: GPUBuffer[] = [];
  const rowsOf = (port: InputPort | OutputPort, usage: number) => {
    const size = elements(port.shape) * 4;
    const buffer = device.createBuffer({ label: `rows of ${port.name}`, size, usage });
    made.push(buffer);
    return buffer;
  };
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const [uploads, downloads] = await guard(device, 'allocating buffers of the interface', () => [
    new Map(
      given.map((port) => {
        const rows = rowsOf(port, STORAGE | COPY_DST);
        const convert = converter.bind('rows_to_quads', port.shape, rows, memory.buffer(port.slot));
        return [port.name, { rows, convert }];
      }),
    ),
    new Map(
      taken.map((port) => {
        const rows = rowsOf(port, STORAGE | COPY_SRC);
        const convert = converter.bind('quads_to_rows', port.shape, memory.buffer(port.slot), rows);
        const place: Place = {
          buffer: rows,
          bytes: rows.size,
          convert,
          decode: (b) => rowsIn(port, b, results),
        };
        return [port.name, place];
      }),
    ),
  ]);
  return {
    ...host,
    write(port, value, encoder) {
      const upload = uploads.get(port.name);
      if (upload === undefined) return host.write(port, value, encoder);
      device.queue.writeBuffer(upload.rows, 0, floats(value));
      upload.convert(encoder);
    },
    place: (port) => downloads.get(port.name) ?? host.place(port),
    destroy() {
      converter.destroy();
      for (const buffer of made) buffer.destroy();
    },
  };
}

/** Writes what is given of ports. Inputs that are not given stand in their slots already. */
export function writeInputs(
  ports: readonly InputPort[],
  face: Interface,
  inputs: ModelInputs,
  encoder: GPUCommandEncoder,
): void {
  for (const port of ports) {
    const value = inputs[port.name];
    if (value !== undefined) face.write(port, value, encoder);
  }
}

/** Float16 has two channels in a word, which the host parts. */
function isConverted({ encoding, dtype, shape }: InputPort | OutputPort): boolean {
  return (encoding === 'image' || encoding === 'parameter') && dtype === 'f32' && isConvertible(shape);
}

function rowsIn(
  { shape }: OutputPort,
  { buffer, byteOffset }: Uint8Array<ArrayBuffer>,
  results: ReusedMemory,
): Tensor {
  const count = elements(shape);
  const data = new Float32Array(results.take(count * 4));
  data.set(new Float32Array(buffer, byteOffset, count));
  return { shape, data };
}

function convertedByHost(
  memory: Pick<Memory, 'buffer'>,
  device: GPUDevice,
  results: ReusedMemory,
): Interface {
  const scratch = createScratch(0);
  return {
    // the queue copies what it is given at once
    write: (port, value) =>
      device.queue.writeBuffer(memory.buffer(port.slot), 0, encodePort(port, value, scratch.floats)),
    place: (port) => ({
      buffer: memory.buffer(port.slot),
      bytes: bytesOfPort(port),
      convert: null,
      decode: (bytes) => decodePort(port, bytes, (count) => new Float32Array(results.take(count * 4))),
    }),
    reuse: results.give,
    destroy: () => undefined,
  };
}
