// Two values joined along channels where the first ends inside a quad: each channel is read by itself.

struct Sizes {
  pixels: u32,
  out_quads: u32,
  channels0: u32,       // channels of the sources, and the quads that hold them
  channels1: u32,
  quads0: u32,
  quads1: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<f32>;
@group(0) @binding(2) var<storage, read> source1: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

// hook: a channel of the first source
fn load_source0(at: u32) -> f32 {
  return source0[at];
}

// hook: a channel of the second source
fn load_source1(at: u32) -> f32 {
  return source1[at];
}

// hook: writes a quad of the result
fn store_result(at: u32, quad: vec4f) {
  result[at] = quad;
}

fn channel(pixel: u32, c: u32) -> f32 {
  if (c < sizes.channels0) { return load_source0(pixel * sizes.quads0 * 4u + c); }
  if (c < sizes.channels0 + sizes.channels1) { return load_source1(pixel * sizes.quads1 * 4u + c - sizes.channels0); }
  return 0.0;
}

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  for (var i = workgroup.x * 64u + lane; i < sizes.pixels * sizes.out_quads; i += workgroups.x * 64u) {
    let pixel = workgroup.z * sizes.pixels + i / sizes.out_quads;
    let c = i % sizes.out_quads * 4u;
    let value = vec4f(channel(pixel, c), channel(pixel, c + 1u), channel(pixel, c + 2u), channel(pixel, c + 3u));
    store_result(workgroup.z * sizes.pixels * sizes.out_quads + i, value);
  }
}
