// The gradient of a convolution's weight, as conv_weight_gradient computes it, for processors that run a subgroup of 8 lanes
// as one vector (lavapipe): no workgroup memory, no barriers. A workgroup is one subgroup; it computes ROWS * 4 channels of
// the cotangent by 32 channels of the input for a tap, over the pixels of a part. A lane holds the sums of a quad of input
// channels, which it loads pixel by pixel, and of the cotangent its pixel of each octet, which passes from lane to lane by
// broadcasts.
// Activations are in storage textures, [sample][channel / 4][pixel]; the result is a buffer, [part][cotangent's channel][tap]
// [input's channel / 4].
enable subgroups;
diagnostic(off, subgroup_uniformity);

const ROWS = 8u;     // quads of the cotangent's channels that a workgroup computes
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  batch: u32,
  pixels: u32,          // pixels of the cotangent in a sample, and its height and width (depth follows)
  height: u32,
  width: u32,
  out_quads: u32,       // quads of its channels, and how many they are
  out_channels: u32,
  in_pixels: u32,       // stored input pixels of a sample
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
  samples: u32,         // of a part
  per_sample: u32,      // parts of a sample, and the pixels of each
  part_pixels: u32,
  quads0: u32,          // channel quads of the sources that are read as one
  quads1: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var cotangent: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;   // [part][channel][tap][quad]

var<private> sums: array<vec4f, ROWS * 4u>;   // [cotangent's channel] of a quad of the input

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad of the cotangent
fn load_cotangent(at: u32) -> vec4f {
  return textureLoad(cotangent, texel(at));
}

// hook: one quad of the input
fn load_input(sample: u32, pixel: u32, quad: u32) -> vec4f {
  return vec4f();
}

// hook: adds the products of eight pixels' quads of the cotangent with a quad of the input of each
fn multiply(g: array<vec4f, ROWS>, x: array<vec4f, 8>) {
  for (var r = 0u; r < ROWS; r++) {
    for (var c = 0u; c < 4u; c++) {
      for (var p = 0u; p < 8u; p++) { sums[r * 4u + c] += subgroupShuffle(g[r][c], p) * x[p]; }
    }
  }
}

// input coordinate of an output coordinate and a tap, or -1 outside
fn locate(position: u32, tap: u32, stride: u32, pad: u32, scale: u32, extent: u32) -> i32 {
  let at = i32(position * stride + tap) - i32(pad);
  return select(-1, at / i32(scale), at >= 0 && at < i32(extent * scale));
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let tap = workgroup.y % sizes.taps;
  let quads = sizes.quads0 + sizes.quads1;
  let quad = workgroup.y / sizes.taps * 8u + lane;
  let first_out = workgroup.x * ROWS;
  let part = workgroup.z;
  let first_sample = part / sizes.per_sample * sizes.samples;
  let first_pixel = part % sizes.per_sample * sizes.part_pixels;
  let end_pixel = min(first_pixel + sizes.part_pixels, sizes.pixels);
  for (var sample = first_sample; sample < min(first_sample + sizes.samples, sizes.batch); sample++) {
    for (var octet = first_pixel; octet < end_pixel; octet += 8u) {
      let pixel = min(octet + lane, end_pixel - 1u);
      let at_x = locate(pixel % sizes.width, tap % sizes.kernel_w, sizes.stride_w, sizes.pad_w, sizes.scale_w, sizes.in_width);
      let at_y = locate(pixel / sizes.width % sizes.height, tap / sizes.kernel_w % sizes.kernel_h, sizes.stride_h, sizes.pad_h, sizes.scale_h, sizes.in_height);
      let at_z = locate(pixel / sizes.width / sizes.height, tap / sizes.kernel_w / sizes.kernel_h, sizes.stride_d, sizes.pad_d, sizes.scale_d, sizes.in_depth);
      let inside = octet + lane < end_pixel && at_x >= 0 && at_y >= 0 && at_z >= 0;
      // in_pixels stands for a tap that falls outside
      let at = select(sizes.in_pixels, (u32(at_z) * sizes.in_height + u32(at_y)) * sizes.in_width + u32(at_x), inside);
      var g = array<vec4f, ROWS>();
      for (var r = 0u; r < ROWS; r++) {
        let row = min(first_out + r, sizes.out_quads - 1u);
        g[r] = load_cotangent((sample * sizes.out_quads + row) * sizes.pixels + pixel);
      }
      var x = array<vec4f, 8>();
      for (var p = 0u; p < 8u; p++) {
        let from_pixel = subgroupShuffle(at, p);
        let valid = from_pixel < sizes.in_pixels;
        x[p] = select(vec4f(), load_input(sample, select(0u, from_pixel, valid), min(quad, quads - 1u)), valid);
      }
      multiply(g, x);
    }
  }
  for (var i = 0u; i < ROWS * 4u; i++) {
    let channel = first_out * 4u + i;
    if (quad < quads && channel < sizes.out_channels) {
      result[((part * sizes.out_channels + channel) * sizes.taps + tap) * quads + quad] = sums[i];
    }
  }
}
