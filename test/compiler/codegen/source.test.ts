// What the compiler reads out of the text of a kernel.

import { expect, test } from 'vitest';
import { declaredBindings, sizeFields } from '../../../compiler/codegen/wgsl/source.ts';

test('bindings in their order, without the uniform', () => {
  const wgsl = `
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;   // bias
@group(0) @binding(2) var product: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
`;
  expect(declaredBindings(wgsl)).toEqual([
    { name: 'weights', access: 'read' },
    { name: 'product', access: 'read' },
    { name: 'result', access: 'read_write' },
  ]);
});

test('a gap in the numbers is an error', () => {
  const wgsl = '@group(0) @binding(2) var<storage, read> weights: array<vec4f>;';
  expect(() => declaredBindings(wgsl)).toThrow('binding 2 of weights is out of order');
});

test('sizes in their order', () => {
  const wgsl = 'struct Sizes {\n  pixels: u32,   // of a sample\n  scale: f32,\n}\nstruct Other { a: u32, }';
  expect(sizeFields(wgsl)).toEqual([
    { name: 'pixels', type: 'u32' },
    { name: 'scale', type: 'f32' },
  ]);
  expect(() => sizeFields('fn main() {}')).toThrow('without struct Sizes');
});
