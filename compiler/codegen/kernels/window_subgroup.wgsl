// A window on channels and space that begins between quads: output (quad, z, y, x) reads the input that many quads and
// positions further, which may lie outside, where there are zeros. For subgroups of 8 lanes: a workgroup goes over
// OCTETS * 8 pixels of a quad, a lane a pixel. Activations in textures are [sample][channel / 4][pixel].

const OCTETS = 16u;
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  channels: u32,        // output channels, and the quads that hold them
  out_quads: u32,
  in_quads: u32,
  in_depth: u32,
  in_height: u32,
  in_width: u32,
  start_quad: u32,      // where the window begins, modulo 2^32: before the input it is large
  start_d: u32,
  start_h: u32,
  start_w: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var source0: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad of the input
fn load_source0(at: u32) -> vec4f {
  return textureLoad(source0, texel(at));
}

// hook, written out: a quad as it is stored
fn as_stored(quad: vec4f) -> vec4f {
  return quad;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let quad = workgroup.y;
  let from_quad = quad + sizes.start_quad;
  // channels that only fill the last quad hold zeros
  let there = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(sizes.channels);
  let end = min((workgroup.x + 1u) * OCTETS * 8u, sizes.pixels);
  for (var pixel = workgroup.x * OCTETS * 8u + lane; pixel < end; pixel += 8u) {
    let x = pixel % sizes.width + sizes.start_w;
    let y = pixel / sizes.width % sizes.height + sizes.start_h;
    let z = pixel / sizes.width / sizes.height + sizes.start_d;
    let inside = from_quad < sizes.in_quads && x < sizes.in_width && y < sizes.in_height && z < sizes.in_depth;
    let row = (sample * sizes.in_quads + from_quad) * sizes.in_depth * sizes.in_height;
    let at = select(0u, (row + z * sizes.in_height + y) * sizes.in_width + x, inside);
    let value = select(vec4f(), load_source0(at), there & vec4<bool>(inside));
    result[(sample * sizes.out_quads + quad) * sizes.pixels + pixel] = as_stored(value);
  }
}
