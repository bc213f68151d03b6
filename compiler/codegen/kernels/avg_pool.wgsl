// Average pooling over blocks that do not overlap.

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  out_quads: u32,
  in_pixels: u32,
  in_height: u32,
  in_width: u32,
  kernel_d: u32,
  kernel_h: u32,
  kernel_w: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

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
  let window = sizes.kernel_d * sizes.kernel_h * sizes.kernel_w;
  for (var i = workgroup.x * 64u + lane; i < sizes.pixels * sizes.out_quads; i += workgroups.x * 64u) {
    let pixel = i / sizes.out_quads;
    let x = pixel % sizes.width * sizes.kernel_w;
    let y = pixel / sizes.width % sizes.height * sizes.kernel_h;
    let z = pixel / sizes.width / sizes.height * sizes.kernel_d;
    var sum = vec4f();
    for (var k = 0u; k < window; k++) {
      let at_x = x + k % sizes.kernel_w;
      let at_y = y + k / sizes.kernel_w % sizes.kernel_h;
      let at_z = z + k / sizes.kernel_w / sizes.kernel_h;
      let at = workgroup.z * sizes.in_pixels + (at_z * sizes.in_height + at_y) * sizes.in_width + at_x;
      sum += load_source0(at * sizes.out_quads + i % sizes.out_quads);
    }
    store_result(workgroup.z * sizes.pixels * sizes.out_quads + i, sum / f32(window));
  }
}
