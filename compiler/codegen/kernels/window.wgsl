// A window on channels and space: output (c, z, y, x) reads the input that many channels and positions further, which may
// lie outside, where there are zeros. Each channel is read by itself.

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  channels: u32,        // output channels, and the quads that hold them
  out_quads: u32,
  in_channels: u32,
  in_quads: u32,
  in_depth: u32,
  in_height: u32,
  in_width: u32,
  start_c: u32,         // where the window begins, modulo 2^32: before the input it is large
  start_d: u32,
  start_h: u32,
  start_w: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

// hook: a channel of the source
fn load_source0(at: u32) -> f32 {
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
    let x = pixel % sizes.width + sizes.start_w;
    let y = pixel / sizes.width % sizes.height + sizes.start_h;
    let z = pixel / sizes.width / sizes.height + sizes.start_d;
    let inside = x < sizes.in_width && y < sizes.in_height && z < sizes.in_depth;
    let row = ((workgroup.z * sizes.in_depth + z) * sizes.in_height + y) * sizes.in_width + x;
    var value = vec4f();
    for (var k = 0u; k < 4u; k++) {
      let to = i % sizes.out_quads * 4u + k;
      let from_channel = to + sizes.start_c;
      if (inside && to < sizes.channels && from_channel < sizes.in_channels) {
        value[k] = load_source0(row * sizes.in_quads * 4u + from_channel);
      }
    }
    store_result(workgroup.z * sizes.pixels * sizes.out_quads + i, value);
  }
}
