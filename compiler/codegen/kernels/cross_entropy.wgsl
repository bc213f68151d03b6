// The cross-entropy of a sample's logits and its label: -log softmax(logits)[label], as highest + log Σ exp(logits - highest) less
// the label's logit.

struct Sizes {
  classes: u32,
  quads: u32,           // quads of a row of logits
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> logits: array<f32>;      // [sample][class]
@group(0) @binding(2) var<storage, read> labels: array<u32>;      // [sample]
@group(0) @binding(3) var<storage, read_write> result: array<f32>; // [sample]

var<workgroup> shares: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let row = sample * sizes.quads * 4u;
  var highest = -3.4e38;
  for (var k = lane; k < sizes.classes; k += 64u) { highest = max(highest, logits[row + k]); }
  shares[lane] = highest;
  for (var half = 32u; half >= 1u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] = max(shares[lane], shares[lane + half]); }
  }
  workgroupBarrier();
  highest = shares[0];
  workgroupBarrier();

  var sum = 0.0;
  for (var k = lane; k < sizes.classes; k += 64u) { sum += exp(logits[row + k] - highest); }
  shares[lane] = sum;
  for (var half = 32u; half >= 1u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  if (lane == 0u) { result[sample] = (highest - logits[row + labels[sample]]) + log(shares[0]); }
}
