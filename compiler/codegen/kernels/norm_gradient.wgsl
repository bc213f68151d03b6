// The gradient of a group norm by what it normalises: with x = (source0 - mean) * share and h = gamma * g over the
// elements of a norm group, share * (h - mean(h) - x * mean(h * x)); g is the cotangent of the norm's result. Where FiLM
// and an activation function follow the norm, source1 is the cotangent of what they give, and g is computed on the way.
// A workgroup of 256 threads goes over the pixels of whole norm groups that fill whole quads, four times: for the mean, the
// deviation, the means of h and h * x, and the result. Activations are channels-last: [sample][pixel][channel / 4].

const MAX_QUADS = 64u;   // of a workgroup, and of its arrays

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

var<workgroup> shares: array<vec4f, 256>;             // of a sum, one a thread
var<workgroup> channels: array<vec4f, MAX_QUADS>;     // sums over the pixels of each channel
var<workgroup> means: array<vec4f, MAX_QUADS>;        // of the norm group of each channel
var<workgroup> deviations: array<vec4f, MAX_QUADS>;   // reciprocal
var<workgroup> of_h: array<vec4f, MAX_QUADS>;         // means of h and h * x
var<workgroup> of_hx: array<vec4f, MAX_QUADS>;

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

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let first = workgroup.x * sizes.chunk_quads;
  let count = min(sizes.chunk_quads, sizes.quads - first);
  let begin = sample * sizes.pixels * sizes.quads + first;

  for (var q = 0u; q < count; q++) {
    var sum = vec4f();
    for (var p = lane; p < sizes.pixels; p += 256u) { sum += load_source0(begin + p * sizes.quads + q); }
    let all = sum_threads(sum, lane);
    if (lane == 0u) { channels[q] = all; }
  }
  workgroupBarrier();
  if (lane < count) { means[lane] = mean_of_groups(lane); }
  workgroupBarrier();

  for (var q = 0u; q < count; q++) {
    let mean = means[q];
    var sum = vec4f();
    for (var p = lane; p < sizes.pixels; p += 256u) {
      let deviation = load_source0(begin + p * sizes.quads + q) - mean;
      sum += deviation * deviation;
    }
    let all = sum_threads(sum, lane);
    if (lane == 0u) { channels[q] = all; }
  }
  workgroupBarrier();
  if (lane < count) { deviations[lane] = inverseSqrt(mean_of_groups(lane) + sizes.eps); }
  workgroupBarrier();

  for (var pass_of = 0u; pass_of < 2u; pass_of++) {
    for (var q = 0u; q < count; q++) {
      let mean = means[q];
      let share = deviations[q];
      gamma = weights[first + q];
      beta = weights[sizes.beta_at + first + q];
      prepare_quad(sample, first + q);
      var sum = vec4f();
      for (var p = lane; p < sizes.pixels; p += 256u) {
        let at = begin + p * sizes.quads + q;
        let normalised = (load_source0(at) - mean) * share;
        let h = gamma * cotangent(normalised, load_source1(at));
        sum += select(h * normalised, h, pass_of == 0u);
      }
      let all = sum_threads(sum, lane);
      if (lane == 0u) { channels[q] = all; }
    }
    workgroupBarrier();
    if (lane < count) {
      if (pass_of == 0u) { of_h[lane] = mean_of_groups(lane); } else { of_hx[lane] = mean_of_groups(lane); }
    }
    workgroupBarrier();
  }

  for (var q = 0u; q < count; q++) {
    gamma = weights[first + q];
    beta = weights[sizes.beta_at + first + q];
    prepare_quad(sample, first + q);
    for (var p = lane; p < sizes.pixels; p += 256u) {
      let at = begin + p * sizes.quads + q;
      let normalised = (load_source0(at) - means[q]) * deviations[q];
      let h = gamma * cotangent(normalised, load_source1(at));
      store_result(at, deviations[q] * (h - of_h[q] - normalised * of_hx[q]));
    }
  }
}
