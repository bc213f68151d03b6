// AdamW and moving averages, over an arena of parameters at once, where a step is taken (`gradient_scale.wgsl`). The numbers and their order are those of
// `runtime/step-settings.ts`; operations and their order are PyTorch's (torch/optim/adamw.py of 1.13).
// An arena of what is trained has its parameters, then their first and second moments, then each moving average.

struct Sizes {
  quads: u32,           // of the parameters
  averages: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> settings: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> trained: array<vec4f>;

// hook: the gradient of a quad
fn gradient(at: u32) -> vec4f {
  return vec4f();
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let decay = settings[0].x;
  let beta1 = settings[0].y;
  let beta1_rest = settings[0].z;
  let beta2 = settings[0].w;
  let beta2_rest = settings[1].x;
  let root_correction = settings[1].y;
  let epsilon = settings[1].z;
  let step_size = settings[1].w;
  let factor = scale[0].x;
  let taken = scale[0].y != 0.0;
  for (var i = id.x; i < sizes.quads; i += workgroups.x * 64u) {
    // sums over microbatches are zero again behind a step that is not taken, too
    let g = factor * gradient(i);
    if (!taken) { continue; }
    let mean = beta1 * trained[sizes.quads + i] + beta1_rest * g;
    let square = beta2 * trained[2u * sizes.quads + i] + beta2_rest * g * g;
    let p = decay * trained[i] - step_size * (mean / (sqrt(square) / root_correction + epsilon));
    trained[i] = p;
    trained[sizes.quads + i] = mean;
    trained[2u * sizes.quads + i] = square;
    for (var k = 0u; k < sizes.averages; k++) {
      let at = (3u + k) * sizes.quads + i;
      let rates = settings[3u + k / 2u];
      let rate = select(rates.xy, rates.zw, k % 2u == 1u);
      trained[at] = rate.x * trained[at] + rate.y * p;
    }
  }
}
