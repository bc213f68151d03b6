// Zeros where packed weights have nothing of a parameter: a product without a bias, and what only fills tiles. A thread packs a
// quad.

const TEXTURE_WIDTH = 2048u;

struct Sizes {
  quads: u32,
  first: u32,           // where they begin, in quads
}

@group(0) @binding(0) var<uniform> sizes: Sizes;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook: writes a quad of the packed weights
fn store_packed(at: u32, quad: vec4f) {
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  for (var i = id.x; i < sizes.quads; i += workgroups.x * 64u) {
    store_packed(sizes.first + i, vec4f());
  }
}
