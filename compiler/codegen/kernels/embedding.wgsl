// Rows of a table by index: the label embedding.

struct Sizes {
  quads: u32,           // quads of a row
  rows: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;   // [row][quad]
@group(0) @binding(2) var<storage, read> source0: array<u32>;     // [sample]
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.quads) { return; }
  let row = min(source0[id.z], sizes.rows - 1u);
  result[id.z * sizes.quads + id.x] = weights[row * sizes.quads + id.x];
}
