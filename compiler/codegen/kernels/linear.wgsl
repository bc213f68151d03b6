// A linear layer: y[sample][n] = sum over k of w[n][k] x[sample][k] + b[n]. A thread computes one output; the
// inputs of a sample pass through workgroup memory 256 at a time.

struct Sizes {
  in_quads: u32,        // quads of inputs and of outputs, as rows are stored
  out_quads: u32,
  bias_at: u32,         // place in the weights, in vec4f
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;   // [64 outputs][in_quads][64] of four inputs, then the bias
@group(0) @binding(2) var<storage, read> source0: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

var<workgroup> inputs: array<vec4f, 64>;

// hook: what is done to a finished output; `at` is its place in the result
fn epilogue(sum: f32, sample: u32, channel: u32, at: u32) -> f32 {
  return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let rows = workgroup.x * sizes.in_quads * 64u + lane;
  var sum = 0.0;
  for (var first = 0u; first < sizes.in_quads; first += 64u) {
    workgroupBarrier();
    if (first + lane < sizes.in_quads) { inputs[lane] = source0[sample * sizes.in_quads + first + lane]; }
    workgroupBarrier();
    for (var k = 0u; k < min(64u, sizes.in_quads - first); k++) {
      sum += dot(weights[rows + (first + k) * 64u], inputs[k]);
    }
  }
  // outputs that only fill the last quad are written too: their weights are zero, and what stood there might not be
  let output = workgroup.x * 64u + lane;
  if (output < sizes.out_quads * 4u) {
    let at = sample * sizes.out_quads * 4u + output;
    result[at] = epilogue(sum + weights[sizes.bias_at + output / 4u][output % 4u], sample, output, at);
  }
}
