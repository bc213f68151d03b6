// Layouts converted on the adapter are those of the host, bit for bit: the two kernels alone, and whole passes; so are passes
// that are cut into submissions.

import { expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { fromChannelsLast, toChannelsLast } from '../../runtime/layout.ts';
import { createLayoutConverter, type LAYOUT_KERNELS } from '../../runtime/layout-kernels.ts';
import { normalNoise } from '../../runtime/sampler/noise.ts';
import { elements } from '../../runtime/tensor.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { openProgram, testDevice, testTargets } from '../on-device.ts';

/** Channels that fill quads and that do not, one pixel and many, in no to three dimensions. */
const SHAPES = [
  [3, 10],
  [2, 4, 5],
  [1, 3, 9, 7],
  [2, 6, 16, 16],
  [1, 5, 2, 3, 4],
  [1, 1, 300, 1],
];

async function convert(
  kernel: keyof typeof LAYOUT_KERNELS,
  shape: readonly number[],
  from: Uint32Array<ArrayBuffer>,
  length: number,
): Promise<Uint32Array> {
  const { device, pipelines } = await testDevice();
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const source = device.createBuffer({ size: from.byteLength, usage: STORAGE | COPY_DST });
  const result = device.createBuffer({ size: length * 4, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ size: length * 4, usage: MAP_READ | COPY_DST });
  device.queue.writeBuffer(source, 0, from);
  const converter = await createLayoutConverter(device, pipelines);
  const encoder = device.createCommandEncoder();
  converter.bind(kernel, shape, source, result)(encoder);
  encoder.copyBufferToBuffer(result, 0, staging, 0, length * 4);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const found = new Uint32Array(staging.getMappedRange().slice(0));
  for (const one of [source, result, staging, converter]) one.destroy();
  return found;
}

/** A denormal, a negative zero, an infinity and a NaN with a payload among numbers. */
function valuesOf(shape: readonly number[]): Float32Array<ArrayBuffer> {
  const data = Float32Array.from(normalNoise(1, 0, elements(shape)));
  new Uint32Array(data.buffer).set([1, 0x80000000, 0x7f800000, 0x7fc12345]);
  return data;
}

test.each(SHAPES.map((shape) => ({ shape })))('$shape to quads and back', async ({ shape }) => {
  const data = valuesOf(shape);
  const rows = new Uint32Array(data.buffer);
  const quads = new Uint32Array(toChannelsLast({ shape, data }).buffer);
  expect(await convert('rows_to_quads', shape, rows, quads.length)).toEqual(quads);
  expect(await convert('quads_to_rows', shape, quads, rows.length)).toEqual(rows);
  const back = fromChannelsLast(new Float32Array(quads.buffer), shape).data;
  expect(new Uint32Array(back.buffer)).toEqual(rows);
});

test('a pass gives the same bits, also while another is under way', async () => {
  const graph = loadGraph(SMALL_GRAPH, 'small').graph;
  for (const target of await testTargets()) {
    const { bundle } = compileGraph(graph, { target, batch: 2 });
    const shape = [2, 1, 8, 8];
    const inputs = [1, 2].map((seed) => {
      return { x: { shape, data: normalNoise(seed, 0, elements(shape)) }, timesteps: [10 * seed, 500] };
    });
    const found = [];
    const ways = [{ layouts: 'host' }, { layouts: 'adapter' }, { layouts: 'host', operations: 1 }] as const;
    for (const way of ways) {
      const program = await openProgram(bundle, weightsOf(graph, 1), way);
      found.push(await Promise.all([...inputs, ...inputs].map((one) => program.run(one))));
      program.close();
    }
    expect(found[1], target.name).toEqual(found[0]);
    expect(found[2], `${target.name}, a submission a dispatch`).toEqual(found[0]);
    expect(found[0]![2], target.name).toEqual(found[0]![0]);
    expect(found[0]![1], target.name).not.toEqual(found[0]![0]);
  }
});
