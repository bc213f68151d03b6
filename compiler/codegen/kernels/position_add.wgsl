// Adds a table over channels and positions to every sample.

struct Sizes {
  pixels: u32,          // positions of a sample
  out_quads: u32,
  channels: u32,
  row_quads: u32,       // quads of a row of the table
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;   // [channel][position / 4]
@group(0) @binding(2) var<storage, read> source0: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

// hook: a quad of the source
fn load_source0(at: u32) -> vec4f {
  return source0[at];
}

// hook: writes a quad of the result
fn store_result(at: u32, quad: vec4f) {
  result[at] = quad;
}

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  for (var i = workgroup.x * 64u + lane; i < sizes.pixels * sizes.out_quads; i += workgroups.x * 64u) {
    let pixel = i / sizes.out_quads;
    let first = i % sizes.out_quads * 4u;
    let at = workgroup.z * sizes.pixels * sizes.out_quads + i;
    var value = load_source0(at);
    for (var k = 0u; k < 4u; k++) {
      if (first + k < sizes.channels) { value[k] += weights[(first + k) * sizes.row_quads + pixel / 4u][pixel % 4u]; }
    }
    store_result(at, value);
  }
}
