// The gradient of a term of the variational bound by the prediction: by the mean of the model, where it is asked for, and by
// what its variance comes from. A thread computes a pixel. Activations are [sample][pixel][channel], channels filled up to
// whole quads; where a variance is learned, its channels stand behind those of the mean.

const LEARNED = 0u;      // 1: the logarithm of the variance is the model's; 2: so is its place in a range
const OF_MEAN = 1u;      // 0: the mean is held fast

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
@group(0) @binding(5) var<storage, read> share: array<f32>;            // the cotangent of each sample's term
@group(0) @binding(6) var<storage, read_write> result: array<f32>;

// a term, and its derivatives by the distance of the means and by the logarithm of the model's variance
struct Term { value: f32, by_mean: f32, by_log_variance: f32 }

// hook: the term of an element of an image, whose means are `distance` apart
fn term_of(image: f32, distance: f32, posterior: f32, log_variance: f32, first: bool) -> Term {
  return Term();
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let sample = id.z;
  let c = coefficients[sample * 2u + 1u];   // mean_per_error, log_posterior, log_variance, is_first
  let factor = share[sample] / (0.6931471805599453 * f32(sizes.pixels * sizes.channels));
  for (var i = id.x; i < sizes.pixels; i += workgroups.x * 64u) {
    let pixel = sample * sizes.pixels + i;
    for (var channel = 0u; channel < sizes.row; channel++) { result[pixel * sizes.row + channel] = 0.0; }
    for (var channel = 0u; channel < sizes.channels; channel++) {
      let at = pixel * sizes.row + channel;
      let at_target = pixel * sizes.target_row + channel;
      let distance = c.x * (prediction[at] - goal[at_target]);
      var log_variance = c.z;
      var by_output = 0.0;
      if (LEARNED == 1u) {
        log_variance = prediction[at + sizes.channels];
        by_output = 1.0;
      }
      if (LEARNED == 2u) {
        log_variance = c.y + 0.5 * (prediction[at + sizes.channels] + 1.0) * (c.z - c.y);
        by_output = 0.5 * (c.z - c.y);
      }
      let term = term_of(image[at_target], distance, c.y, log_variance, c.w > 0.0);
      if (OF_MEAN == 1u) { result[at] = factor * c.x * term.by_mean; }
      if (LEARNED > 0u) { result[at + sizes.channels] = factor * by_output * term.by_log_variance; }
    }
  }
}
