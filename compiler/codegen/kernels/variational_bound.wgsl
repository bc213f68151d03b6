// A term of the variational bound of a sample, in bits per element. One workgroup a sample. Activations are
// [sample][pixel][channel], channels filled up to whole quads; where a variance is learned, its channels stand behind those of
// the mean.

const LEARNED = 0u;      // 1: the logarithm of the variance is the model's; 2: so is its place in a range

struct Sizes {
  pixels: u32,          // pixels of a sample
  channels: u32,        // of the target
  row: u32,             // floats of a pixel of the prediction, and of the target and the image
  target_row: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> prediction: array<f32>;
@group(0) @binding(2) var<storage, read> goal: array<f32>;
@group(0) @binding(3) var<storage, read> image: array<f32>;
@group(0) @binding(4) var<storage, read> coefficients: array<vec4f>;   // [sample][2]
@group(0) @binding(5) var<storage, read_write> result: array<f32>;     // [sample]

var<workgroup> shares: array<f32, 256>;

// a term, and its derivatives by the distance of the means and by the logarithm of the model's variance
struct Term { value: f32, by_mean: f32, by_log_variance: f32 }

// hook: the term of an element of an image, whose means are `distance` apart
fn term_of(image: f32, distance: f32, posterior: f32, log_variance: f32, first: bool) -> Term {
  return Term();
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let c = coefficients[sample * 2u + 1u];   // mean_per_error, log_posterior, log_variance, is_first
  var sum = 0.0;
  for (var i = lane; i < sizes.pixels * sizes.channels; i += 256u) {
    let pixel = sample * sizes.pixels + i / sizes.channels;
    let channel = i % sizes.channels;
    let at = pixel * sizes.row + channel;
    let at_target = pixel * sizes.target_row + channel;
    let distance = c.x * (prediction[at] - goal[at_target]);
    var log_variance = c.z;
    if (LEARNED == 1u) { log_variance = prediction[at + sizes.channels]; }
    if (LEARNED == 2u) { log_variance = c.y + 0.5 * (prediction[at + sizes.channels] + 1.0) * (c.z - c.y); }
    sum += term_of(image[at_target], distance, c.y, log_variance, c.w > 0.0).value;
  }
  shares[lane] = sum;
  for (var half = 128u; half >= 1u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  if (lane == 0u) { result[sample] = shares[0] / (0.6931471805599453 * f32(sizes.pixels * sizes.channels)); }
}
