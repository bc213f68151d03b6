// A sum of two images with two factors of each sample.

struct Sizes {
  quads: u32,           // of a sample
  columns: u32,         // floats of a row of factors, and the two that are taken
  first: u32,
  second: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;
@group(0) @binding(2) var<storage, read> source1: array<vec4f>;
@group(0) @binding(3) var<storage, read> factors: array<f32>;     // [sample][column]
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let row = id.z * sizes.columns;
  let a = factors[row + sizes.first];
  let b = factors[row + sizes.second];
  for (var i = id.x; i < sizes.quads; i += workgroups.x * 64u) {
    let at = id.z * sizes.quads + i;
    result[at] = a * source0[at] + b * source1[at];
  }
}
