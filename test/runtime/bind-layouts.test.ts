// Layouts of kernels' bindings: read from their text, shared by those that bind the same, and left to WebGPU where a text is
// written otherwise; dispatches that bind the same have one bind group.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { TARGETS } from '../../compiler/target.ts';
import { createLayoutCache, signatureOf } from '../../runtime/bind-layouts.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { openNullDevice } from '../../runtime/host/node/dawn.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import { createPipelineCache } from '../../runtime/pipelines.ts';
import { createProgram } from '../../runtime/program.ts';
import { goldenGraph } from '../golden-cases.ts';

let opened: OpenedDevice;
beforeAll(async () => {
  opened = await openNullDevice();
});
afterAll(() => opened.close());

const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');

/** What a kernel binds by its bundle, behind its sizes. */
function boundBy({ manifest }: Bundle, kernel: number): readonly string[] {
  const { bindings } = manifest.dispatches.find((one) => one.kernel === kernel)!;
  return bindings.map((binding) => {
    const isTexture =
      binding.kind === 'slot'
        ? manifest.slots[binding.slot]!.storage === 'texture'
        : manifest.weights[binding.weights]!.arena === null;
    if (isTexture) return 'texture';
    return binding.access === 'read' ? 'read-only-storage' : 'storage';
  });
}

test.each(TARGETS.map(({ name }) => name))('every kernel of %s has the layout of what is bound', (name) => {
  const target = TARGETS.find((one) => one.name === name)!;
  for (const precision of ['f32', 'f16'] as const) {
    for (const training of [undefined, { averages: 1, accumulates: false }]) {
      const { bundle } = compileGraph(graph, { target, precision, training, dropout: true });
      bundle.manifest.kernels.forEach(({ file }, kernel) => {
        const expected = ['uniform', ...boundBy(bundle, kernel)].join(' ');
        expect(signatureOf(bundle.kernels.get(file)!), file).toBe(expected);
      });
    }
  }
});

test('a text that declares a binding in another form, or leaves a number out, has no layout', () => {
  const sizes = '@group(0) @binding(0) var<uniform> sizes: Sizes;\n';
  const known = `${sizes}@group(0) @binding(1) var<storage, read> a: array<f32>;`;
  expect(signatureOf(known)).toBe('uniform read-only-storage');
  expect(signatureOf(`${sizes}@group(0) @binding(1) var a: texture_2d<f32>;`)).toBeNull();
  expect(signatureOf(`${sizes}@group(0) @binding(2) var<storage, read> a: array<f32>;`)).toBeNull();
  expect(signatureOf(`${known}\n@binding(2) @group(0) var<storage, read> b: array<f32>;`)).toBeNull();
  expect(signatureOf(`${known}\n@group(1) @binding(0) var<storage, read> b: array<f32>;`)).toBeNull();
  expect(signatureOf(`${known}\n@group(0) @binding(1) var<storage, read> b: array<f32>;`)).toBeNull();
  expect(signatureOf('fn main() {}')).toBeNull();
});

test('kernels that bind the same share a layout, and others compile without one', async () => {
  const kernel = (body: string, more = '') => `
    @group(0) @binding(0) var<storage, read_write> a: array<f32>;${more}
    @compute @workgroup_size(1) fn main() { ${body} }`;
  const layouts = createLayoutCache(opened.device);
  expect(layouts.of(kernel('a[0] = 1.0;'))).toBe(layouts.of(kernel('a[0] = 2.0;')));
  const foreign = kernel('a[0] = b[0];', '\n@group(0) @binding(7) var<storage, read> b: array<f32>;');
  expect(layouts.of(foreign)).toBeNull();
  await createPipelineCache(opened.device).get('foreign.wgsl', foreign);
  opened.check();
});

test('dispatches that bind the same have one bind group, and equal sizes stand once', async () => {
  const target = TARGETS.find(({ name }) => name === 'generic')!;
  const { bundle } = compileGraph(graph, { target, training: { averages: 1, accumulates: false } });
  const { dispatches, parameters } = bundle.manifest;
  const made = vi.spyOn(opened.device, 'createBindGroup');
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape.reduce((n, d) => n * d, 1)]));
  const read = (name: string) => new Float32Array(shapes.get(name)!);
  const program = await createProgram(bundle, read, opened);
  const distinct = new Set(dispatches.map(({ sizes, bindings }) => JSON.stringify([sizes, bindings])));
  expect(distinct.size).toBeLessThan(dispatches.length);
  const bound = made.mock.calls.filter(
    ([{ entries }]) => Array.isArray(entries) && 'offset' in sizesOf(entries),
  );
  expect(bound.length).toBe(distinct.size);
  const places = new Set(bound.map(([{ entries }]) => (sizesOf([...entries]) as GPUBufferBinding).offset));
  expect(places.size).toBe(new Set(dispatches.map(({ sizes }) => sizes.join())).size);
  program.close();
});

/** What stands first among the entries of a bind group. */
function sizesOf([first]: readonly GPUBindGroupEntry[]): object {
  return first!.resource as object;
}
