// The mean squared error of a sample over the channels of its target; a prediction may have more. One workgroup a sample.
// Activations are [sample][pixel][channel], channels filled up to whole quads.

struct Sizes {
  pixels: u32,          // pixels of a sample
  channels: u32,        // of the target
  row: u32,             // floats of a pixel of the prediction and of the target
  target_row: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> prediction: array<f32>;
@group(0) @binding(2) var<storage, read> goal: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;   // [sample]

var<workgroup> shares: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  var sum = 0.0;
  for (var i = lane; i < sizes.pixels * sizes.channels; i += 256u) {
    let pixel = sample * sizes.pixels + i / sizes.channels;
    let channel = i % sizes.channels;
    let error = prediction[pixel * sizes.row + channel] - goal[pixel * sizes.target_row + channel];
    sum += error * error;
  }
  shares[lane] = sum;
  for (var half = 128u; half >= 1u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  if (lane == 0u) { result[sample] = shares[0] / f32(sizes.pixels * sizes.channels); }
}
