// The gradient of a group norm by what it normalises: with x = (source0 - mean) * share and h = gamma * g over the
// elements of a norm group, share * (h - mean(h) - x * mean(h * x)); g is the cotangent of the norm's result. Where FiLM
// and an activation function follow the norm, source1 is the cotangent of what they give, and g is computed on the way.
// For subgroups of 8 lanes: a workgroup goes over whole norm groups that fill whole quads, which are four at
// the most, a lane over every eighth pixel.
// Activations in textures are [sample][channel / 4][pixel].

enable subgroups;
diagnostic(off, subgroup_uniformity);

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
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

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

// hook, written out: a quad as it is stored
fn as_stored(quad: vec4f) -> vec4f {
  return quad;
}

// hook: what has to be known of the channels of a quad
fn prepare_quad(sample: u32, quad: u32) {
}

// hook: the cotangent of the norm's result, from the normalised quad and the cotangent that is given
fn cotangent(normalised: vec4f, given: vec4f) -> vec4f {
  return given;
}

// hook: what is done to a result before it is stored; `at` is its place
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
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

  sums = vec4f();
  var products = vec4f();
  for (var q = 0u; q < count; q++) {
    let begin = (sample * sizes.quads + first + q) * sizes.pixels;
    let mean = of_channels(means, q);
    let share = of_channels(deviations, q);
    gamma = weights[first + q];
    beta = weights[sizes.beta_at + first + q];
    prepare_quad(sample, first + q);
    var sum = vec4f();
    var product = vec4f();
    for (var p = lane; p < sizes.pixels; p += 8u) {
      let normalised = (load_source0(begin + p) - mean) * share;
      let h = gamma * cotangent(normalised, load_source1(begin + p));
      sum += h;
      product += h * normalised;
    }
    sums = add_channels(sums, q, sum);
    products = add_channels(products, q, product);
  }
  let of_h = sum_lanes(sums) / elements;
  let of_hx = sum_lanes(products) / elements;

  for (var q = 0u; q < count; q++) {
    let begin = (sample * sizes.quads + first + q) * sizes.pixels;
    let mean = of_channels(means, q);
    let share = of_channels(deviations, q);
    let mean_h = of_channels(of_h, q);
    let mean_hx = of_channels(of_hx, q);
    gamma = weights[first + q];
    beta = weights[sizes.beta_at + first + q];
    prepare_quad(sample, first + q);
    for (var p = lane; p < sizes.pixels; p += 8u) {
      let normalised = (load_source0(begin + p) - mean) * share;
      let h = gamma * cotangent(normalised, load_source1(begin + p));
      let gradient = share * (h - mean_h - normalised * mean_hx);
      result[begin + p] = as_stored(epilogue(gradient, sample, first + q, begin + p));
    }
  }
}
