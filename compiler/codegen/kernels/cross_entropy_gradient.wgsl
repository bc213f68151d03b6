// The gradient of the cross-entropy by a sample's logits: its share times the softmax, less 1 at the label.

struct Sizes {
  classes: u32,
  quads: u32,           // quads of a row of logits
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> logits: array<f32>;      // [sample][class]
@group(0) @binding(2) var<storage, read> labels: array<u32>;      // [sample]
@group(0) @binding(3) var<storage, read> share: array<f32>;       // [sample]
@group(0) @binding(4) var<storage, read_write> result: array<f32>;

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
  workgroupBarrier();

  // places that only fill the last quad hold zeros
  for (var k = lane; k < sizes.quads * 4u; k += 64u) {
    let hit = select(0.0, 1.0, k == labels[sample]);
    let slope = share[sample] * (exp(logits[row + k] - highest) / shares[0] - hit);
    result[row + k] = select(0.0, slope, k < sizes.classes);
  }
}
