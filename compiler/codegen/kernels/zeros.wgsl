// Zeros where memory that others have used holds nothing of a parameter: of packed weights a product without a bias and what only
// fills tiles, of an arena of gradients what lies between two of them. A thread writes a quad.

struct Sizes {
  quads: u32,
  first: u32,           // where they begin, in quads
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> zeros: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  for (var i = id.x; i < sizes.quads; i += workgroups.x * 64u) {
    zeros[sizes.first + i] = vec4f();
  }
}
