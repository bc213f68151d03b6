// The gradient of a mean squared error by the prediction; zero in channels that the target has not. A thread computes a quad.
// Activations are [sample][pixel][channel], channels filled up to whole quads.

struct Sizes {
  pixels: u32,          // pixels of a sample
  channels: u32,        // of the target
  quads: u32,           // of a pixel of the prediction
  target_row: u32,      // floats of a pixel of the target
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> prediction: array<vec4f>;
@group(0) @binding(2) var<storage, read> goal: array<f32>;
@group(0) @binding(3) var<storage, read> share: array<f32>;       // the cotangent of each sample's error
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let factor = 2.0 * share[id.z] / f32(sizes.pixels * sizes.channels);
  for (var i = id.x; i < sizes.pixels * sizes.quads; i += workgroups.x * 64u) {
    let pixel = id.z * sizes.pixels + i / sizes.quads;
    let first = i % sizes.quads * 4u;
    let predicted = prediction[id.z * sizes.pixels * sizes.quads + i];
    var error = vec4f();
    for (var c = 0u; c < 4u; c++) {
      if (first + c < sizes.channels) { error[c] = predicted[c] - goal[pixel * sizes.target_row + first + c]; }
    }
    result[id.z * sizes.pixels * sizes.quads + i] = factor * error;
  }
}
