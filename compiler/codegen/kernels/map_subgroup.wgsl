// An op or a chain of ops that computes each quad from the quad at its place: load, prologue, epilogue, store. For
// subgroups of 8 lanes: a workgroup goes over OCTETS * 8 pixels of one quad of a sample, a lane a pixel.
// Activations in textures are [sample][channel / 4][pixel].

const OCTETS = 16u;
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  out_quads: u32,
  in_pixels: u32,       // pixels of the sources, which nearest upsampling makes fewer
  in_height: u32,
  in_width: u32,
  scale_d: u32,
  scale_h: u32,
  scale_w: u32,
  quads0: u32,          // channel quads of the sources that are read as one
  quads1: u32,
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook: one quad of the input
fn load_input(sample: u32, pixel: u32, quad: u32) -> vec4f {
  return vec4f();
}

// hook: what has to be known of the channels of a quad
fn prepare_quad(sample: u32, quad: u32) {
}

// hook: what is done to a loaded quad
fn prologue(loaded: vec4f) -> vec4f {
  return loaded;
}

// hook: what is done after it; `at` is its place in the result
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

// hook: writes a quad
fn store_result(sample: u32, pixel: u32, quad: u32, value: vec4f) {
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let quad = workgroup.y;
  prepare_quad(sample, quad);
  let end = min((workgroup.x + 1u) * OCTETS * 8u, sizes.pixels);
  for (var pixel = workgroup.x * OCTETS * 8u + lane; pixel < end; pixel += 8u) {
    let x = pixel % sizes.width / sizes.scale_w;
    let y = pixel / sizes.width % sizes.height / sizes.scale_h;
    let z = pixel / sizes.width / sizes.height / sizes.scale_d;
    let from_pixel = (z * sizes.in_height + y) * sizes.in_width + x;
    let at = (sample * sizes.out_quads + quad) * sizes.pixels + pixel;
    store_result(sample, pixel, quad, epilogue(prologue(load_input(sample, from_pixel, quad)), sample, quad, at));
  }
}
