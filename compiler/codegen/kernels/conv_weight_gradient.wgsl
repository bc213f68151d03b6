// The gradient of a convolution's weight as a matrix product for each tap: rows are channels of the cotangent, columns
// channels of the input, and the inner dimension runs over the pixels of all samples. Activations are channels-last, four
// channels a vec4f: [sample][pixel][channel / 4]; the result is [cotangent's channel][tap][input's channel / 4].
// A workgroup of 8 x 8 threads computes 64 by 64 channels of a tap, over the pixels of a part: `samples` samples, or of one
// sample a run of `part_pixels` pixels. Where there are several parts, sum_parts adds them up. A thread computes eight
// channels of the cotangent by two quads of the input.

const STEP = 16u;        // pixels that are in workgroup memory at once
const ROW = 17u;         // vec4f that a pixel takes there: 16 quads, and one against bank conflicts

struct Sizes {
  batch: u32,
  pixels: u32,          // pixels of the cotangent in a sample, and its height and width (depth follows)
  height: u32,
  width: u32,
  out_quads: u32,       // quads of its channels, and how many they are
  out_channels: u32,
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
  step_pixels: u32,     // STEP, as a number that drivers do not know, lest they unroll
  samples: u32,         // of a part
  per_sample: u32,      // parts of a sample, and the pixels of each
  part_pixels: u32,
  quads0: u32,          // channel quads of the sources that are read as one
  quads1: u32,
  gamma_at: u32,        // places in the weights, in vec4f
  beta_at: u32,
  norm_width: u32,      // channels of a norm group, and pixels of a channel
  norm_pixels: u32,
  tiles0: u32,          // tiles of the source's statistics, and their pixels
  tile_pixels0: u32,
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> cotangent: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;   // [part][channel][tap][quad]

var<workgroup> tile_g: array<vec4f, STEP * ROW>;
var<workgroup> tile_x: array<vec4f, STEP * ROW>;
var<workgroup> affine: array<vec4f, 32>;       // scale of the tile's 16 quads, then their shift

// hook, written out: a quad of the cotangent
fn load_cotangent(at: u32) -> vec4f {
  return cotangent[at];
}

// hook: what has to be known of a sample before its pixels are loaded
fn prepare_sample(sample: u32, lane: u32) {
}

// hook: what has to be known of the 16 quads of a tile
fn prepare_tile(sample: u32, first: u32, lane: u32) {
}

// hook: one quad of the input
fn load_input(sample: u32, pixel: u32, quad: u32) -> vec4f {
  return vec4f();
}

// hook: what is done to a loaded quad; `slot` is its place in the tile
fn prologue(loaded: vec4f, slot: u32) -> vec4f {
  return loaded;
}

// input coordinate of an output coordinate and a tap, or -1 outside
fn locate(position: u32, tap: u32, stride: u32, pad: u32, scale: u32, extent: u32) -> i32 {
  let at = i32(position * stride + tap) - i32(pad);
  return select(-1, at / i32(scale), at >= 0 && at < i32(extent * scale));
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let tap = workgroup.y % sizes.taps;
  let first_in = workgroup.y / sizes.taps * 16u;
  let first_out = workgroup.x * 16u;
  let part = workgroup.z;
  let first_sample = part / sizes.per_sample * sizes.samples;
  let first_pixel = part % sizes.per_sample * sizes.part_pixels;
  let end_pixel = min(first_pixel + sizes.part_pixels, sizes.pixels);
  let in_pixels = sizes.in_depth * sizes.in_height * sizes.in_width;
  let quads = sizes.quads0 + sizes.quads1;
  let row = lane / 8u;
  let column = lane % 8u;
  // the pixel whose quads this thread loads, four of each
  let load_row = lane / 4u;
  let load_slot = lane % 4u * 4u;

  var sums: array<vec4f, 16>;   // [input's quad of 2][cotangent's channel of 8]
  for (var sample = first_sample; sample < min(first_sample + sizes.samples, sizes.batch); sample++) {
    prepare_sample(sample, lane);
    prepare_tile(sample, first_in, lane);
    for (var step = first_pixel; step < end_pixel; step += STEP) {
      let pixel = step + load_row;
      let inside = pixel < end_pixel;
      let at_x = locate(pixel % sizes.width, tap % sizes.kernel_w, sizes.stride_w, sizes.pad_w, sizes.scale_w, sizes.in_width);
      let at_y = locate(pixel / sizes.width % sizes.height, tap / sizes.kernel_w % sizes.kernel_h, sizes.stride_h, sizes.pad_h, sizes.scale_h, sizes.in_height);
      let at_z = locate(pixel / sizes.width / sizes.height, tap / sizes.kernel_w / sizes.kernel_h, sizes.stride_d, sizes.pad_d, sizes.scale_d, sizes.in_depth);
      let valid = inside && at_x >= 0 && at_y >= 0 && at_z >= 0;
      let at = sample * in_pixels + (u32(at_z) * sizes.in_height + u32(at_y)) * sizes.in_width + u32(at_x);
      workgroupBarrier();
      for (var slot = load_slot; slot < load_slot + 4u; slot++) {
        var g = vec4f();
        if (inside && first_out + slot < sizes.out_quads) {
          g = load_cotangent((sample * sizes.pixels + pixel) * sizes.out_quads + first_out + slot);
        }
        tile_g[load_row * ROW + slot] = g;
        var x = vec4f();
        if (valid && first_in + slot < quads) { x = prologue(load_input(sample, at, first_in + slot), slot); }
        tile_x[load_row * ROW + slot] = x;
      }
      workgroupBarrier();
      for (var p = 0u; p < sizes.step_pixels; p++) {
        let g0 = tile_g[p * ROW + row];
        let g1 = tile_g[p * ROW + row + 8u];
        for (var j = 0u; j < 2u; j++) {
          let x = tile_x[p * ROW + column + j * 8u];
          for (var c = 0u; c < 4u; c++) {
            sums[j * 8u + c] += g0[c] * x;
            sums[j * 8u + 4u + c] += g1[c] * x;
          }
        }
      }
    }
  }

  for (var j = 0u; j < 2u; j++) {
    let quad = first_in + j * 8u + column;
    for (var i = 0u; i < 8u; i++) {
      let channel = (first_out + i / 4u * 8u + row) * 4u + i % 4u;
      if (quad < quads && channel < sizes.out_channels) {
        result[((part * sizes.out_channels + channel) * sizes.taps + tap) * quads + quad] = sums[j * 8u + i];
      }
    }
  }
}
