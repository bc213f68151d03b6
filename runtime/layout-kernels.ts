// Rows to quads and back on the adapter: the host's part of a pass is then a copy, where a conversion by the host takes tens
// of milliseconds a batch, beside a GPU that is done in as many. Words are moved as they are, so that no bit changes.

import type { PipelineCache } from './pipelines.ts';
import { elements } from './tensor.ts';

/** Threads of a workgroup, each a pixel of a quad. */
const THREADS = 64;

/** Workgroups that WebGPU grants in a dimension everywhere. */
const MOST_WORKGROUPS = 65535;

/** What both kernels begin with. A thread goes on in steps of the grid, so that no image is too large for one. */
const HEAD = `struct Sizes {
  channels: u32,
  quads: u32,    // vectors of four channels that hold a pixel
  pixels: u32,   // of a sample
}

@group(0) @binding(0) var<uniform> sizes: Sizes;`;

const ENTRY = `@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var pixel = id.x; pixel < sizes.pixels; pixel += grid.x * ${THREADS}u) {
    move_quad(id.z, id.y, pixel);
  }
}`;

/** [sample][channel][pixel] to [sample][pixel][channel / 4], channels filled up with zeros. */
const ROWS_TO_QUADS = `${HEAD}
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read_write> quads: array<vec4u>;

fn move_quad(sample: u32, quad: u32, pixel: u32) {
  var value = vec4u();
  for (var lane = 0u; lane < 4u; lane++) {
    let channel = quad * 4u + lane;
    if (channel < sizes.channels) { value[lane] = rows[(sample * sizes.channels + channel) * sizes.pixels + pixel]; }
  }
  quads[(sample * sizes.pixels + pixel) * sizes.quads + quad] = value;
}

${ENTRY}
`;

/** The inverse: what only fills a quad is dropped. */
const QUADS_TO_ROWS = `${HEAD}
@group(0) @binding(1) var<storage, read> quads: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> rows: array<u32>;

fn move_quad(sample: u32, quad: u32, pixel: u32) {
  let value = quads[(sample * sizes.pixels + pixel) * sizes.quads + quad];
  for (var lane = 0u; lane < 4u; lane++) {
    let channel = quad * 4u + lane;
    if (channel < sizes.channels) { rows[(sample * sizes.channels + channel) * sizes.pixels + pixel] = value[lane]; }
  }
}

${ENTRY}
`;

/** Both kernels by the names that messages have for them. */
export const LAYOUT_KERNELS = {
  rows_to_quads: ROWS_TO_QUADS,
  quads_to_rows: QUADS_TO_ROWS,
} as const;

/** The kernels on a device. */
export interface LayoutConverter {
  /** Binds a conversion of float32 of a shape [batch, channels, ...space]; the call records it. */
  bind(
    kernel: keyof typeof LAYOUT_KERNELS,
    shape: readonly number[],
    from: GPUBuffer,
    to: GPUBuffer,
  ): (encoder: GPUCommandEncoder) => void;
  /** Releases the memory. */
  destroy(): void;
}

/** Whether the kernels convert a shape: batch and quads are dimensions of their grid. */
export function isConvertible([batch = 1, channels = 1]: readonly number[]): boolean {
  return batch <= MOST_WORKGROUPS && Math.ceil(channels / 4) <= MOST_WORKGROUPS;
}

/** Compiles both kernels. Throws RuntimeError('gpu'). */
export async function createLayoutConverter(
  device: GPUDevice,
  pipelines: PipelineCache,
): Promise<LayoutConverter> {
  const compile = (name: keyof typeof LAYOUT_KERNELS) => pipelines.get(`${name}.wgsl`, LAYOUT_KERNELS[name]);
  const compiled = {
    rows_to_quads: await compile('rows_to_quads'),
    quads_to_rows: await compile('quads_to_rows'),
  };
  const made: GPUBuffer[] = [];
  return {
    bind(kernel, [batch = 1, channels = 1, ...space], from, to) {
      const quads = Math.ceil(channels / 4);
      const pixels = elements(space);
      const sizes = device.createBuffer({
        label: kernel,
        size: 16,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      made.push(sizes);
      device.queue.writeBuffer(sizes, 0, Uint32Array.of(channels, quads, pixels, 0));
      const pipeline = compiled[kernel];
      const entries = [sizes, from, to].map((buffer, binding) => ({ binding, resource: { buffer } }));
      const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
      const across = Math.min(Math.ceil(pixels / THREADS), MOST_WORKGROUPS);
      return (encoder) => {
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(across, quads, batch);
        pass.end();
      };
    },
    destroy: () => {
      for (const buffer of made) buffer.destroy();
    },
  };
}
