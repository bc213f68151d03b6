// Sums over the pixels of a sample, a channel each: of the normalised x = (source0 - mean) * share times a cotangent g, then
// of g. Gradients by the weights of a norm, and by the rows of FiLM, are made of them. Where FiLM and an activation function
// follow the norm, source1 is the cotangent of what they give, and g is computed on the way.
// A workgroup of 256 threads goes over the pixels of whole norm groups that fill whole quads, which are at most four
// groups: twice for each group, for its mean and its deviation, then once. Activations are [sample][pixel][channel / 4].

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
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;
@group(0) @binding(2) var<storage, read> source1: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;   // [sample][sums of x * g, sums of g]

var<workgroup> shares: array<vec4f, 256>;     // of a sum, one a thread
var<workgroup> means: array<f32, 4>;          // of each norm group
var<workgroup> deviations: array<f32, 4>;     // reciprocal

var<private> gamma: vec4f;
var<private> beta: vec4f;

// hook, written out: a quad of what is normalised
fn load_source0(at: u32) -> vec4f {
  return source0[at];
}

// hook, written out: a quad of the cotangent
fn load_source1(at: u32) -> vec4f {
  return source1[at];
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

// the mean over a norm group, of what lies in it of each quad: the values, or the squares of their distance from `mean`
fn mean_of_group(group: u32, begin: u32, lane: u32, mean: f32, squared: bool) -> f32 {
  let first = group * sizes.norm_width;
  let last = first + sizes.norm_width - 1u;
  let first_quad = first / 4u;
  let count = last / 4u - first_quad + 1u;
  var sum = vec4f();
  for (var i = lane; i < sizes.pixels * count; i += 256u) {
    let quad = first_quad + i % count;
    let channel = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
    let distance = load_source0(begin + i / count * sizes.quads + quad) - mean;
    let value = select(distance, distance * distance, squared);
    sum += select(vec4f(), value, (channel >= vec4u(first)) & (channel <= vec4u(last)));
  }
  return dot(sum_threads(sum, lane), vec4f(1.0)) / f32(sizes.norm_width * sizes.pixels);
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let first = workgroup.x * sizes.chunk_quads;
  let begin = sample * sizes.pixels * sizes.quads + first;
  let channels = min(sizes.chunk_quads * 4u, sizes.channels - first * 4u);

  for (var group = 0u; group < channels / sizes.norm_width; group++) {
    let mean = mean_of_group(group, begin, lane, 0.0, false);
    let variance = mean_of_group(group, begin, lane, mean, true);
    if (lane == 0u) {
      means[group] = mean;
      deviations[group] = inverseSqrt(variance + sizes.eps);
    }
  }
  workgroupBarrier();

  for (var q = 0u; q < (channels + 3u) / 4u; q++) {
    var mean = vec4f();
    var share = vec4f();
    for (var i = 0u; i < 4u; i++) {
      let group = min(q * 4u + i, channels - 1u) / sizes.norm_width;
      mean[i] = means[group];
      share[i] = deviations[group];
    }
    prepare_norm(first + q);
    prepare_quad(sample, first + q);
    var of_product = vec4f();
    var of_g = vec4f();
    for (var p = lane; p < sizes.pixels; p += 256u) {
      let at = begin + p * sizes.quads + q;
      let normalised = (load_source0(at) - mean) * share;
      let g = cotangent(normalised, load_source1(at));
      of_product += factor(normalised) * g;
      of_g += g;
    }
    let products = sum_threads(of_product, lane);
    let all = sum_threads(of_g, lane);
    if (lane < 4u && q * 4u + lane < channels) {
      let to = sample * sizes.row + first * 4u + q * 4u + lane;
      result[to] = products[lane];
      result[to + sizes.channels] = all[lane];
    }
  }
  // places that only fill the last quad hold zeros
  let fill = 2u * sizes.channels + lane;
  if (workgroup.x == 0u && fill < sizes.row) { result[sample * sizes.row + fill] = 0.0; }
}
