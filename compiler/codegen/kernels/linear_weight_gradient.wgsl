// The gradient of the weight of a linear layer: w[n][k] = sum over samples of g[sample][n] * x[sample][k], in their order. A
// thread computes four inputs of an output.

struct Sizes {
  batch: u32,
  in_quads: u32,        // quads of a row of inputs, and floats of a row of cotangents
  g_row: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;     // [sample][quad]
@group(0) @binding(2) var<storage, read> cotangent: array<f32>;     // [sample][output]
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;   // [output][quad]

// hook, written out: a quad of a row of inputs
fn load_source0(at: u32) -> vec4f {
  return source0[at];
}

// hook, written out: the cotangent of an output
fn load_cotangent(at: u32) -> f32 {
  return cotangent[at];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.in_quads) { return; }
  var sum = vec4f();
  for (var sample = 0u; sample < sizes.batch; sample++) {
    sum += load_cotangent(sample * sizes.g_row + id.y) * load_source0(sample * sizes.in_quads + id.x);
  }
  result[id.y * sizes.in_quads + id.x] = sum;
}
