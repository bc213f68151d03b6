// Average pooling over blocks that do not overlap, of values that a norm and an activation function are applied to as they
// are loaded. Activations are channels-last, four channels a vec4f: [sample][pixel][channel / 4]. A workgroup of 8 x 8
// threads goes over TILE_PIXELS pixels of 8 quads; a thread keeps its quad, so what belongs to channels is computed once.

const TILE_PIXELS = 32u;

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
  quads0: u32,          // channel quads of the sources that are read as one
  quads1: u32,
  gamma_at: u32,        // places in the weights, in vec4f
  beta_at: u32,
  norm_width: u32,      // channels of a norm group, and pixels of a channel
  norm_pixels: u32,
  tiles0: u32,          // tiles of the sources' statistics, and their pixels
  tile_pixels0: u32,
  tiles1: u32,
  tile_pixels1: u32,
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

// hook: writes a quad of the result
fn store_result(at: u32, quad: vec4f) {
  result[at] = quad;
}

// hook: what has to be known of a sample
fn prepare_sample(sample: u32, lane: u32) {
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

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  prepare_sample(sample, lane);
  let quad = workgroup.y * 8u + lane % 8u;
  if (quad >= sizes.out_quads) { return; }
  prepare_quad(sample, quad);
  let window = sizes.kernel_d * sizes.kernel_h * sizes.kernel_w;
  let end = min((workgroup.x + 1u) * TILE_PIXELS, sizes.pixels);
  for (var pixel = workgroup.x * TILE_PIXELS + lane / 8u; pixel < end; pixel += 8u) {
    let x = pixel % sizes.width * sizes.kernel_w;
    let y = pixel / sizes.width % sizes.height * sizes.kernel_h;
    let z = pixel / sizes.width / sizes.height * sizes.kernel_d;
    var sum = vec4f();
    for (var k = 0u; k < window; k++) {
      let at_x = x + k % sizes.kernel_w;
      let at_y = y + k / sizes.kernel_w % sizes.kernel_h;
      let at_z = z + k / sizes.kernel_w / sizes.kernel_h;
      let at = sample * sizes.in_pixels + (at_z * sizes.in_height + at_y) * sizes.in_width + at_x;
      sum += prologue(load_input(sample, at, quad));
    }
    store_result((sample * sizes.pixels + pixel) * sizes.out_quads + quad, sum / f32(window));
  }
}
