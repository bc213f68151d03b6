// The linker: constants and hooks are filled, and everything that does not fit is an error.

import { describe, expect, test } from 'vitest';
import { type Filling, linkKernel } from '../../../compiler/codegen/wgsl/link.ts';
import { InternalError } from '../../../compiler/diagnostics.ts';

const KERNEL = `// A kernel.

const TILE = 64u;      // pixels

struct Sizes {
  pixels: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

// hook: one quad
fn load(at: u32) -> vec4f {
  return vec4f();
}

// no hook, and of another name
fn load_all(at: u32) -> vec4f {
  return load(at);
}
`;

function link(filling: Partial<Filling>, source = KERNEL): string {
  const nothing = { consts: {}, hooks: {}, bindings: [], types: {}, functions: [], aliases: {}, lanes: null };
  return linkKernel(source, { ...nothing, ...filling });
}

test('a kernel to which nothing is done stays as it is', () => {
  expect(link({})).toBe(KERNEL);
});

describe('hooks that are written out', () => {
  const READS = KERNEL.replace(
    '// no hook',
    `// hook, written out: one quad of the result
fn read(at: u32) -> vec4f {
  return result[at];
}

// no hook`,
  ).replace('return load(at);', 'return load(at) + read(at * 2u + 1u);');
  const linked = (filling: Partial<Filling>) => link(filling, READS);

  test('are no part of a kernel that fills none of them', () => {
    expect(linked({})).toBe(KERNEL.replace('load(at);', 'load(at) + result[at * 2u + 1u];'));
  });

  test('become what fills them, with the function that packs float16', () => {
    const text = linked({
      hooks: { read: ['return unpack_quad(result[at]);'] },
      types: { result: 'array<vec2u>' },
    });
    expect(text).toContain('return load(at) + unpack_quad(result[at * 2u + 1u]);');
    expect(text).toContain('fn unpack_quad(stored: vec2u) -> vec4f {');
    expect(text).not.toContain('fn read(');
  });

  test('take one expression', () => {
    expect(() => linked({ hooks: { read: ['let a = result[at];', 'return a;'] } })).toThrow(
      'read is no function of one expression',
    );
  });
});

describe('constants', () => {
  test('get their value and keep their comment', () => {
    expect(link({ consts: { TILE: 16 } })).toBe(KERNEL.replace('TILE = 64u', 'TILE = 16u'));
  });

  test.each(['TILES', 'TIL', 'tile', 'sizes', 'pixels'])('%s is none', (name) => {
    expect(() => link({ consts: { [name]: 1 } })).toThrow(InternalError);
    expect(() => link({ consts: { [name]: 1 } })).toThrow(`the kernel has no constant ${name}`);
  });
});

describe('hooks', () => {
  test('get their body, a line an op', () => {
    const body = ['if (at > 1u) { return vec4f(1.0); } // one op', 'return vec4f(2.0);'];
    expect(link({ hooks: { load: body } })).toBe(
      KERNEL.replace('  return vec4f();\n', `  ${body[0]}\n  ${body[1]}\n`),
    );
  });

  test('a body is text: `$&` means nothing in it', () => {
    expect(link({ hooks: { load: ['return vec4f(); // $& $1'] } })).toContain('// $& $1\n}');
  });

  test.each(['load_all', 'loa', 'store', 'main'])('%s is none', (name) => {
    expect(() => link({ hooks: { [name]: [] } })).toThrow(`the kernel has no hook ${name}`);
  });
});

describe('buffers', () => {
  test('are numbered behind those of the kernel, with functions after them', () => {
    const linked = link({
      bindings: [
        { name: 'source0', type: 'array<vec4f>', access: 'read' },
        { name: 'sums', type: 'array<f32>', access: 'read_write' },
        { name: 'image', type: 'texture', access: 'read' },
      ],
      functions: ['fn twice(v: vec4f) -> vec4f {', '  return 2.0 * v;', '}'],
    });
    const declared = [
      '@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;',
      '@group(0) @binding(2) var<storage, read> source0: array<vec4f>;',
      '@group(0) @binding(3) var<storage, read_write> sums: array<f32>;',
      '@group(0) @binding(4) var image: texture_storage_2d<rgba32float, read>;',
      '',
      'fn twice(v: vec4f) -> vec4f {',
      '  return 2.0 * v;',
      '}',
      '',
    ].join('\n');
    expect(linked).toContain(declared);
    expect(linked.indexOf('fn twice')).toBeLessThan(linked.indexOf('fn load'));
  });
});

describe('buffers of float16', () => {
  test('get the type and the function that packs, once', () => {
    const store = ['result[at] = pack_quad(vec4f());', 'return unpack_quad(result[at]);'];
    const text = link({ types: { result: 'array<vec2u>' }, hooks: { load: store } });
    expect(text).toContain('var<storage, read_write> result: array<vec2u>;');
    expect(text.match(/^fn (un)?pack_quad/gm)).toHaveLength(2);
  });

  test('a kernel that does not pack has no function for it', () => {
    expect(link({})).not.toContain('pack_quad');
  });

  test('stand where a kernel has a texture, which is a buffer then', () => {
    const textured = '@group(0) @binding(1) var source: texture_storage_2d<rgba32float, read>;\n';
    expect(link({ types: { source: 'array<vec2u>' } }, textured)).toContain(
      '@group(0) @binding(1) var<storage, read> source: array<vec2u>;',
    );
  });

  test('a buffer that the kernel does not have', () => {
    expect(() => link({ types: { results: 'array<vec2u>' } })).toThrow(
      'the kernel has no buffer or texture results',
    );
  });
});
