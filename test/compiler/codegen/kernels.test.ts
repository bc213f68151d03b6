// The kernels and their fragments as files: each compiles as it stands, on Dawn's null backend with the default limits
// of WebGPU. What fills the holes of kernels is looked at in holes.test.ts.

import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filledHooks } from '../../../compiler/codegen/wgsl/fragment.ts';
import { openNullDevice } from '../../../runtime/host/node/dawn.ts';
import type { OpenedDevice } from '../../../runtime/opened-device.ts';
import { createPipelineCache } from '../../../runtime/pipelines.ts';

const folder = new URL('../../../compiler/codegen/kernels/', import.meta.url);
const filesIn = (at: URL) =>
  readdirSync(at)
    .filter((file) => file.endsWith('.wgsl'))
    .map((file) => ({ file, wgsl: readFileSync(new URL(file, at), 'utf8') }));
const kernels = filesIn(folder);
const fragments = filesIn(new URL('fragments/', folder));

/** Kernels that need a feature are compiled by the tests on a device, those for matrix units below. */
const featureless = kernels.filter(({ wgsl }) => !/^enable /m.test(wgsl));

let opened: OpenedDevice;
beforeAll(async () => {
  opened = await openNullDevice({ features: ['shader-f16'], limits: {} });
});
afterAll(async () => {
  await opened.close();
});

test('only kernels for processors and for matrix units need a feature', () => {
  const others = kernels.filter((kernel) => !featureless.includes(kernel)).map(({ file }) => file);
  expect(others.filter((file) => !/_(subgroup|matrix)\.wgsl$/.test(file))).toEqual([]);
});

test.each(featureless)('$file compiles as it stands', async ({ file, wgsl }) => {
  await createPipelineCache(opened.device).get(file, wgsl);
  opened.check();
});

test.each(fragments)('fragments/$file compiles as it stands', async ({ file, wgsl }) => {
  const alone = `${wgsl}\n@compute @workgroup_size(1)\nfn main() {}\n`;
  await createPipelineCache(opened.device).get(`fragments/${file}`, alone);
  opened.check();
});

test.each(fragments)(
  'what fragments/$file fills are hooks of kernels, with the same parameters',
  ({ wgsl }) => {
    for (const head of filledHooks(wgsl)) {
      const hook = `\n${head}\n`;
      expect(kernels.filter((kernel) => kernel.wgsl.includes(hook)).length, head).toBeGreaterThan(0);
    }
  },
);

test('a kernel with a fault does not, and the message has its line', async () => {
  const compiling = createPipelineCache(opened.device).get('broken.wgsl', '\n\nfn main( {}');
  await expect(compiling).rejects.toThrow(/kernels\/broken\.wgsl/);
  expect(() => opened.check()).toThrow(/:3:/);
});

describe.each([...kernels, ...fragments])('$file', ({ wgsl }) => {
  test('begins with what it computes', () => {
    expect(wgsl).toMatch(/^\/\/ [A-Z]/);
  });

  // a variable without one keeps its value from one iteration of a loop to the next on some drivers
  test('gives every variable an initial value inside loops', () => {
    expect(uninitialised(wgsl)).toEqual([]);
  });
});

test('a variable without an initial value inside a loop is found', () => {
  const loop =
    'fn f() {\n  var a: i32;\n  for (var i = 0; i < 3; i++) {\n    var b: array<f32, 4>;\n    var c = 1;\n  }\n}\n';
  expect(uninitialised(loop)).toEqual(['    var b: array<f32, 4>;']);
});

/** Lines that declare a variable without a value in a block inside a function's. */
function uninitialised(wgsl: string): readonly string[] {
  return wgsl.split('\n').filter((line) => /^ {4,}var \w+: [^=]*;/.test(line));
}
