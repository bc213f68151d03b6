// Some rows of a value, one behind the other.

struct Sizes {
  start: u32,           // the first quad that is taken, and how many
  quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  for (var i = id.x; i < sizes.quads; i += workgroups.x * 64u) { result[i] = source0[sizes.start + i]; }
}
