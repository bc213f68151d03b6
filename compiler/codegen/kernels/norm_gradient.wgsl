// The gradient of a group norm by what it normalises: with x = (source0 - mean) * share and h = gamma * g over the
// elements of a norm group, share * (h - mean(h) - x * mean(h * x)); g is the cotangent of the norm's result. Where FiLM
// and an activation function follow the norm, source1 is the cotangent of what they give, and g is computed on the way.
// A workgroup of 256 threads goes over the pixels of whole norm groups that fill whole quads, which are four at the most,
// four times: for their means, their deviations, their means of h and h * x, and the result. Activations are channels-last:
// [sample][pixel][channel / 4].

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
@group(0) @binding(2) var<storage, read> source0: array<vec4f>;
@group(0) @binding(3) var<storage, read> source1: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

var<workgroup> shares: array<vec4f, 256>;   // of a sum, one a thread

var<private> gamma: vec4f;
var<private> beta: vec4f;

// hook: a quad of what is normalised
fn load_source0(at: u32) -> vec4f {
  return source0[at];
}

// hook: a quad of the cotangent
fn load_source1(at: u32) -> vec4f {
  return source1[at];
}

// hook: writes a quad of the result
fn store_result(at: u32, quad: vec4f) {
  result[at] = quad;
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

// the sum over all threads
fn sum_threads(share: vec4f, lane: u32) -> vec4f {
  workgroupBarrier();
  shares[lane] = share;
  for (var half = 128u; half >= 1u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  workgroupBarrier();
  return shares[0];
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let first = workgroup.x * sizes.chunk_quads;
  let count = min(sizes.chunk_quads, sizes.quads - first);
  let begin = sample * sizes.pixels * sizes.quads + first;
  let elements = f32(sizes.norm_width * sizes.pixels);

  var sums = vec4f();
  for (var q = 0u; q < count; q++) {
    var sum = vec4f();
    for (var p = lane; p < sizes.pixels; p += 256u) { sum += load_source0(begin + p * sizes.quads + q); }
    sums = add_channels(sums, q, sum);
  }
  let means = sum_threads(sums, lane) / elements;

  sums = vec4f();
  for (var q = 0u; q < count; q++) {
    let mean = of_channels(means, q);
    var sum = vec4f();
    for (var p = lane; p < sizes.pixels; p += 256u) {
      let deviation = load_source0(begin + p * sizes.quads + q) - mean;
      sum += deviation * deviation;
    }
    sums = add_channels(sums, q, sum);
  }
  let deviations = inverseSqrt(sum_threads(sums, lane) / elements + sizes.eps);   // reciprocal

  sums = vec4f();
  var products = vec4f();
  for (var q = 0u; q < count; q++) {
    let mean = of_channels(means, q);
    let share = of_channels(deviations, q);
    gamma = weights[first + q];
    beta = weights[sizes.beta_at + first + q];
    prepare_quad(sample, first + q);
    var sum = vec4f();
    var product = vec4f();
    for (var p = lane; p < sizes.pixels; p += 256u) {
      let at = begin + p * sizes.quads + q;
      let normalised = (load_source0(at) - mean) * share;
      let h = gamma * cotangent(normalised, load_source1(at));
      sum += h;
      product += h * normalised;
    }
    sums = add_channels(sums, q, sum);
    products = add_channels(products, q, product);
  }
  let of_h = sum_threads(sums, lane) / elements;
  let of_hx = sum_threads(products, lane) / elements;

  for (var q = 0u; q < count; q++) {
    let mean = of_channels(means, q);
    let share = of_channels(deviations, q);
    let mean_h = of_channels(of_h, q);
    let mean_hx = of_channels(of_hx, q);
    gamma = weights[first + q];
    beta = weights[sizes.beta_at + first + q];
    prepare_quad(sample, first + q);
    for (var p = lane; p < sizes.pixels; p += 256u) {
      let at = begin + p * sizes.quads + q;
      let normalised = (load_source0(at) - mean) * share;
      let h = gamma * cotangent(normalised, load_source1(at));
      let gradient = share * (h - mean_h - normalised * mean_hx);
      store_result(at, epilogue(gradient, sample, first + q, at));
    }
  }
}
