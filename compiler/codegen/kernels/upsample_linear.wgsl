// Linear interpolation to any size in 1 to 3 dimensions, corners not aligned (torch interpolate, align_corners False):
// output o reads the input at (o + 1/2) * in / out - 1/2, held inside the input.

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  out_quads: u32,
  in_depth: u32,
  in_height: u32,
  in_width: u32,
  ratio_d: f32,         // input size / output size
  ratio_h: f32,
  ratio_w: f32,
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

// the two input positions that an output position lies between, and how far from the first
struct Between { low: u32, high: u32, part: f32 }

fn between(position: u32, ratio: f32, extent: u32) -> Between {
  let at = max((f32(position) + 0.5) * ratio - 0.5, 0.0);
  let low = min(u32(at), extent - 1u);
  return Between(low, min(low + 1u, extent - 1u), at - f32(low));
}

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  for (var i = workgroup.x * 64u + lane; i < sizes.pixels * sizes.out_quads; i += workgroups.x * 64u) {
    let pixel = i / sizes.out_quads;
    let x = between(pixel % sizes.width, sizes.ratio_w, sizes.in_width);
    let y = between(pixel / sizes.width % sizes.height, sizes.ratio_h, sizes.in_height);
    let z = between(pixel / sizes.width / sizes.height, sizes.ratio_d, sizes.in_depth);
    var sum = vec4f();
    for (var corner = 0u; corner < 8u; corner++) {
      let right = (corner & 1u) != 0u;
      let below = (corner & 2u) != 0u;
      let behind = (corner & 4u) != 0u;
      let part = select(1.0 - x.part, x.part, right) * select(1.0 - y.part, y.part, below) * select(1.0 - z.part, z.part, behind);
      let row = (workgroup.z * sizes.in_depth + select(z.low, z.high, behind)) * sizes.in_height + select(y.low, y.high, below);
      let at = row * sizes.in_width + select(x.low, x.high, right);
      sum += part * load_source0(at * sizes.out_quads + i % sizes.out_quads);
    }
    store_result(workgroup.z * sizes.pixels * sizes.out_quads + i, sum);
  }
}
