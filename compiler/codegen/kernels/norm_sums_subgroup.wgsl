// Sums over the pixels of a sample, a channel each, as norm_sums computes them: of the normalised x = (source0 - mean) * share
// times a cotangent g, then of g. Where FiLM and an activation function follow the norm, source1 is the cotangent of what they
// give, and g is computed on the way.
// For subgroups of 8 lanes: a workgroup goes over whole norm groups that fill whole quads, which are four at the most, a
// lane over every eighth pixel. Activations in textures are [sample][channel / 4][pixel].

enable subgroups;
diagnostic(off, subgroup_uniformity);

const TEXTURE_WIDTH = 2048u;

struct Sizes {
  pixels: u32,          // pixels of a sample
  channels: u32,
  quads: u32,           // quads of a pixel, and of those a workgroup goes over
  chunk_quads: u32,
  norm_width: u32,      // channels of a norm group
  row: u32,             // floats of a sample in the result
  gamma_at: u32,        // places in the weights, in vec4f
  beta_at: u32,
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var source0: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var source1: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;   // [sample][sums of x * g, sums of g]

var<private> gamma: vec4f;
var<private> beta: vec4f;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad of what is normalised
fn load_source0(at: u32) -> vec4f {
  return textureLoad(source0, texel(at));
}

// hook, written out: a quad of the cotangent
fn load_source1(at: u32) -> vec4f {
  return textureLoad(source1, texel(at));
}

// hook: the weight and bias of the norm, where something follows it
fn prepare_norm(quad: u32) {
}

// hook: what has to be known of the channels of a quad
fn prepare_quad(sample: u32, quad: u32) {
}

// hook: the cotangent that is summed, from the normalised quad and the cotangent that is given
fn cotangent(normalised: vec4f, given: vec4f) -> vec4f {
  return given;
}

// hook: what it is multiplied with
fn factor(normalised: vec4f) -> vec4f {
  return normalised;
}

// the sum over the lanes
fn sum_lanes(value: vec4f) -> vec4f {
  var sum = value;
  sum += subgroupShuffleXor(sum, 1u);
  sum += subgroupShuffleXor(sum, 2u);
  sum += subgroupShuffleXor(sum, 4u);
  return sum;
}

// which of the workgroup's norm groups each channel of a quad is in
fn groups_of(quad: u32) -> vec4u {
  return (vec4u(0u, 1u, 2u, 3u) + quad * 4u) / sizes.norm_width;
}

// sums of the norm groups, with what each channel of a quad adds
fn add_channels(sums: vec4f, quad: u32, channels: vec4f) -> vec4f {
  let groups = groups_of(quad);
  var more = sums;
  for (var i = 0u; i < 4u; i++) { more[groups[i]] += channels[i]; }
  return more;
}

// what is known of each norm group, for the channels of a quad
fn of_channels(known: vec4f, quad: u32) -> vec4f {
  let groups = groups_of(quad);
  return vec4f(known[groups.x], known[groups.y], known[groups.z], known[groups.w]);
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let first = workgroup.x * sizes.chunk_quads;
  let count = min(sizes.chunk_quads, sizes.quads - first);
  let elements = f32(sizes.norm_width * sizes.pixels);

  var sums = vec4f();
  for (var q = 0u; q < count; q++) {
    let begin = (sample * sizes.quads + first + q) * sizes.pixels;
    var sum = vec4f();
    for (var p = lane; p < sizes.pixels; p += 8u) { sum += load_source0(begin + p); }
    sums = add_channels(sums, q, sum);
  }
  let means = sum_lanes(sums) / elements;

  sums = vec4f();
  for (var q = 0u; q < count; q++) {
    let begin = (sample * sizes.quads + first + q) * sizes.pixels;
    let mean = of_channels(means, q);
    var sum = vec4f();
    for (var p = lane; p < sizes.pixels; p += 8u) {
      let deviation = load_source0(begin + p) - mean;
      sum += deviation * deviation;
    }
    sums = add_channels(sums, q, sum);
  }
  let deviations = inverseSqrt(sum_lanes(sums) / elements + sizes.eps);   // reciprocal

  for (var q = 0u; q < count; q++) {
    let begin = (sample * sizes.quads + first + q) * sizes.pixels;
    let mean = of_channels(means, q);
    let share = of_channels(deviations, q);
    prepare_norm(first + q);
    prepare_quad(sample, first + q);
    var of_product = vec4f();
    var of_g = vec4f();
    for (var p = lane; p < sizes.pixels; p += 8u) {
      let normalised = (load_source0(begin + p) - mean) * share;
      let g = cotangent(normalised, load_source1(begin + p));
      of_product += factor(normalised) * g;
      of_g += g;
    }
    let products = sum_lanes(of_product);
    let all = sum_lanes(of_g);
    let channel = (first + q) * 4u + lane;
    if (lane < 4u && channel < sizes.channels) {
      result[sample * sizes.row + channel] = products[lane];
      result[sample * sizes.row + sizes.channels + channel] = all[lane];
    }
  }
  // places that only fill the last quad hold zeros
  let fill = 2u * sizes.channels + lane;
  if (workgroup.x == 0u && fill < sizes.row) { result[sample * sizes.row + fill] = 0.0; }
}
