// Average pooling over blocks that do not overlap, of values that a norm and an activation function are applied to as they
// are loaded. For subgroups of 8 lanes: a workgroup goes over OCTETS * 8 pixels of one quad of a sample, a lane a pixel.
// Activations in textures are [sample][channel / 4][pixel].

const OCTETS = 8u;
const TEXTURE_WIDTH = 2048u;

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
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad as it is stored
fn as_stored(quad: vec4f) -> vec4f {
  return quad;
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

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let quad = workgroup.y;
  prepare_quad(sample, quad);
  let window = sizes.kernel_d * sizes.kernel_h * sizes.kernel_w;
  let end = min((workgroup.x + 1u) * OCTETS * 8u, sizes.pixels);
  for (var pixel = workgroup.x * OCTETS * 8u + lane; pixel < end; pixel += 8u) {
    let x = pixel % sizes.width * sizes.kernel_w;
    let y = pixel / sizes.width % sizes.height * sizes.kernel_h;
    let z = pixel / sizes.width / sizes.height * sizes.kernel_d;
    var sum = vec4f();
    for (var k = 0u; k < window; k++) {
      let at_x = x + k % sizes.kernel_w;
      let at_y = y + k / sizes.kernel_w % sizes.kernel_h;
      let at_z = z + k / sizes.kernel_w / sizes.kernel_h;
      sum += prologue(load_input(sample, (at_z * sizes.in_height + at_y) * sizes.in_width + at_x, quad));
    }
    result[(sample * sizes.out_quads + quad) * sizes.pixels + pixel] = as_stored(sum / f32(window));
  }
}
