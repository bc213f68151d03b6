// Convolution in 1 to 3 dimensions for processors that run a subgroup of 8 lanes as one vector (lavapipe): no
// workgroup memory, no barriers. A workgroup is one subgroup; it computes OCTETS * 8 pixels of one sample by
// BLOCKS * 8 channels. A lane loads a quad of input channels of its pixel of each octet, and holds the weights and
// the sums of its channel of each block; pixels pass from lane to lane by shuffles.
// Only the innermost loops index private arrays: drivers unroll them, and the arrays become registers.
enable subgroups;
diagnostic(off, subgroup_uniformity);

const OCTETS = 2u;   // octets of output pixels a workgroup computes
const BLOCKS = 4u;   // octets of output channels a workgroup computes
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  out_quads: u32,       // quads of output channels
  in_depth: u32,        // size of the input, as the taps see it
  in_height: u32,
  in_width: u32,
  scale_d: u32,         // nearest upsampling: virtual input pixels for a stored one
  scale_h: u32,
  scale_w: u32,
  kernel_h: u32,
  kernel_w: u32,
  stride_d: u32,
  stride_h: u32,
  stride_w: u32,
  pad_d: u32,
  pad_h: u32,
  pad_w: u32,
  taps: u32,
  quads0: u32,          // channel quads of the sources that are read as one
  quads1: u32,
  skip_quads0: u32,
  skip_quads1: u32,
  planes: u32,          // products whose weights take turns over the samples: 1, or Winograd's 16
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var product: texture_storage_2d<rgba32float, read>;   // [plane][column tile][tap][quad][block][lane]
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

var<private> sums: array<f32, OCTETS * 8u * BLOCKS>;   // [octet][pixel][block]

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook: one quad of the main input
fn load_input(sample: u32, pixel: u32, quad: u32) -> vec4f {
  return vec4f();
}

// hook: one quad of the skip convolution's input
fn load_skip(pixel: u32, quad: u32) -> vec4f {
  return vec4f();
}

// hook: what is done to a finished value; `at` is its place in the result
fn epilogue(sum: f32, sample: u32, channel: u32, at: u32) -> f32 {
  return sum;
}

// hook: the statistics of the finished tile
fn finish_tile(sample: u32, tile: u32, channel: u32, block: u32) {
}

// hook: input coordinate of an output coordinate and a tap, or -1 outside
fn locate(position: u32, tap: u32, stride: u32, pad: u32, scale: u32, extent: u32) -> i32 {
  let at = i32(position * stride + tap) - i32(pad);
  return select(-1, at / i32(scale), at >= 0 && at < i32(extent * scale));
}

// adds the products of a quad of inputs of every pixel with the weights at `at`
fn accumulate(a: array<vec4f, OCTETS>, at: u32) {
  var w = array<vec4f, BLOCKS>();
  for (var n = 0u; n < BLOCKS; n++) { w[n] = textureLoad(product, texel(at + n * 8u)); }
  for (var o = 0u; o < OCTETS; o++) {
    for (var p = 0u; p < 8u; p++) {
      let x = subgroupShuffle(a[o], p);
      for (var n = 0u; n < BLOCKS; n++) { sums[(o * 8u + p) * BLOCKS + n] += dot(x, w[n]); }
    }
  }
}

@compute @workgroup_size(8)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let sample = workgroup.z;
  let first = workgroup.x * OCTETS * 8u;
  let quads = sizes.quads0 + sizes.quads1;
  let skip_quads = sizes.skip_quads0 + sizes.skip_quads1;
  let in_pixels = sizes.in_depth * sizes.in_height * sizes.in_width;
  let column_tile = sample % sizes.planes * workgroups.y + workgroup.y;
  var at = column_tile * (sizes.taps * quads + skip_quads) * BLOCKS * 8u + lane;

  for (var tap = 0u; tap < sizes.taps; tap++) {
    var pixels = array<u32, OCTETS>();
    var inside = array<bool, OCTETS>();
    for (var o = 0u; o < OCTETS; o++) {
      let pixel = first + o * 8u + lane;
      let x = locate(pixel % sizes.width, tap % sizes.kernel_w, sizes.stride_w, sizes.pad_w, sizes.scale_w, sizes.in_width);
      let y = locate(pixel / sizes.width % sizes.height, tap / sizes.kernel_w % sizes.kernel_h, sizes.stride_h, sizes.pad_h, sizes.scale_h, sizes.in_height);
      let z = locate(pixel / sizes.width / sizes.height, tap / sizes.kernel_w / sizes.kernel_h, sizes.stride_d, sizes.pad_d, sizes.scale_d, sizes.in_depth);
      let valid = pixel < sizes.pixels && x >= 0 && y >= 0 && z >= 0;
      pixels[o] = sample * in_pixels + select(0u, (u32(z) * sizes.in_height + u32(y)) * sizes.in_width + u32(x), valid);
      inside[o] = valid;
    }
    for (var quad = 0u; quad < quads; quad++) {
      var a = array<vec4f, OCTETS>();
      for (var o = 0u; o < OCTETS; o++) { a[o] = select(vec4f(), load_input(sample, pixels[o], quad), inside[o]); }
      accumulate(a, at);
      at += BLOCKS * 8u;
    }
  }
  for (var quad = 0u; quad < skip_quads; quad++) {
    var a = array<vec4f, OCTETS>();
    for (var o = 0u; o < OCTETS; o++) {
      a[o] = load_skip(sample * sizes.pixels + min(first + o * 8u + lane, sizes.pixels - 1u), quad);
    }
    accumulate(a, at);
    at += BLOCKS * 8u;
  }

  for (var n = 0u; n < BLOCKS; n++) {
    let channel = (workgroup.y * BLOCKS + n) * 8u + lane;
    if (channel < sizes.out_quads * 4u) {
      for (var p = 0u; p < OCTETS * 8u; p++) {
        if (first + p < sizes.pixels) {
          let to = (sample * sizes.pixels + first + p) * sizes.out_quads * 4u + channel;
          sums[p * BLOCKS + n] = epilogue(sums[p * BLOCKS + n], sample, channel, to);
          result[to] = sums[p * BLOCKS + n];
        }
      }
      finish_tile(sample, workgroup.x, channel, n);
    }
  }
}
