// The gradient of a group norm by what it normalises: with x = (source0 - mean) * share and h = gamma * g over the
// elements of a norm group, share * (h - mean(h) - x * mean(h * x)); g is the cotangent of the norm's result. Where FiLM
// and an activation function follow the norm, source1 is the cotangent of what they give, and g is computed on the way.
// For subgroups of 8 lanes: a workgroup goes over whole norm groups that fill whole quads, a lane over every eighth pixel.
// Activations in textures are [sample][channel / 4][pixel].

enable subgroups;
diagnostic(off, subgroup_uniformity);

const MAX_QUADS = 64u;   // of a workgroup, and of its arrays
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  pixels: u32,          // pixels of a sample
  quads: u32,           // quads of a pixel, and of those a workgroup computes
  chunk_quads: u32,
  norm_width: u32,      // channels of a norm group
  beta_at: u32,         // place in the weights, in vec4f: behind gamma where there is a beta
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var source0: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var source1: texture_storage_2d<rgba32float, read>;
@group(0) @binding(4) var result: texture_storage_2d<rgba32float, write>;

var<private> channels: array<vec4f, MAX_QUADS>;     // sums over the pixels of each channel
var<private> means: array<vec4f, MAX_QUADS>;        // of the norm group of each channel
var<private> deviations: array<vec4f, MAX_QUADS>;   // reciprocal
var<private> of_h: array<vec4f, MAX_QUADS>;         // means of h and h * x
var<private> of_hx: array<vec4f, MAX_QUADS>;
var<private> gamma: vec4f;
var<private> beta: vec4f;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook: what has to be known of the channels of a quad
fn prepare_quad(sample: u32, quad: u32) {
}

// hook: the cotangent of the norm's result, from the normalised quad and the cotangent that is given
fn cotangent(normalised: vec4f, given: vec4f) -> vec4f {
  return given;
}

// the sum over the lanes
fn sum_lanes(value: vec4f) -> vec4f {
  var sum = value;
  sum += subgroupShuffleXor(sum, 1u);
  sum += subgroupShuffleXor(sum, 2u);
  sum += subgroupShuffleXor(sum, 4u);
  return sum;
}

// the mean, over the norm group of each channel of a quad, of what `channels` sums
fn mean_of_groups(quad: u32) -> vec4f {
  var sums = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let first = (quad * 4u + i) / sizes.norm_width * sizes.norm_width;
    var sum = 0.0;
    for (var c = first; c < min(first + sizes.norm_width, MAX_QUADS * 4u); c++) { sum += channels[c / 4u][c % 4u]; }
    sums[i] = sum;
  }
  return sums / f32(sizes.norm_width * sizes.pixels);
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let first = workgroup.x * sizes.chunk_quads;
  let count = min(sizes.chunk_quads, sizes.quads - first);

  for (var q = 0u; q < count; q++) {
    let begin = (sample * sizes.quads + first + q) * sizes.pixels;
    var sum = vec4f();
    for (var p = lane; p < sizes.pixels; p += 8u) { sum += textureLoad(source0, texel(begin + p)); }
    channels[q] = sum_lanes(sum);
  }
  for (var q = 0u; q < count; q++) { means[q] = mean_of_groups(q); }

  for (var q = 0u; q < count; q++) {
    let begin = (sample * sizes.quads + first + q) * sizes.pixels;
    let mean = means[q];
    var sum = vec4f();
    for (var p = lane; p < sizes.pixels; p += 8u) {
      let deviation = textureLoad(source0, texel(begin + p)) - mean;
      sum += deviation * deviation;
    }
    channels[q] = sum_lanes(sum);
  }
  for (var q = 0u; q < count; q++) { deviations[q] = inverseSqrt(mean_of_groups(q) + sizes.eps); }

  // the sums of h in `channels`, those of h * x kept apart until the means of h are known
  for (var q = 0u; q < count; q++) {
    let begin = (sample * sizes.quads + first + q) * sizes.pixels;
    let mean = means[q];
    let share = deviations[q];
    gamma = weights[first + q];
    beta = weights[sizes.beta_at + first + q];
    prepare_quad(sample, first + q);
    var sum = vec4f();
    var products = vec4f();
    for (var p = lane; p < sizes.pixels; p += 8u) {
      let normalised = (textureLoad(source0, texel(begin + p)) - mean) * share;
      let h = gamma * cotangent(normalised, textureLoad(source1, texel(begin + p)));
      sum += h;
      products += h * normalised;
    }
    channels[q] = sum_lanes(sum);
    of_hx[q] = sum_lanes(products);
  }
  for (var q = 0u; q < count; q++) { of_h[q] = mean_of_groups(q); }
  for (var q = 0u; q < count; q++) { channels[q] = of_hx[q]; }
  for (var q = 0u; q < count; q++) { of_hx[q] = mean_of_groups(q); }

  for (var q = 0u; q < count; q++) {
    let begin = (sample * sizes.quads + first + q) * sizes.pixels;
    let mean = means[q];
    let share = deviations[q];
    gamma = weights[first + q];
    beta = weights[sizes.beta_at + first + q];
    prepare_quad(sample, first + q);
    for (var p = lane; p < sizes.pixels; p += 8u) {
      let normalised = (textureLoad(source0, texel(begin + p)) - mean) * share;
      let h = gamma * cotangent(normalised, textureLoad(source1, texel(begin + p)));
      textureStore(result, texel(begin + p), share * (h - of_h[q] - normalised * of_hx[q]));
    }
  }
}
