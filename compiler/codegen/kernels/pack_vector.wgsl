// A parameter in training, packed as it stands: a vector, or rows of whole quads. A thread packs a quad.

struct Sizes {
  quads: u32,
  first: u32,           // where it begins, in quads
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> parameter: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;

// hook, written out: a quad as it is read, which in float16 is rounded
fn rounded(quad: vec4f) -> vec4f {
  return quad;
}

// hook: what is added to a quad: that of another parameter, where a kernel reads the sum of both
fn other(at: u32) -> vec4f {
  return vec4f();
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  for (var i = id.x; i < sizes.quads; i += workgroups.x * 64u) {
    packed[sizes.first + i] = rounded(parameter[i]) + other(i);
  }
}
