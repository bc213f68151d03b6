// Whether a sample's label is among its k classes of the largest logits: 1 where fewer than k are larger than the label's, else 0.

struct Sizes {
  classes: u32,
  quads: u32,           // quads of a row of logits
  k: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> logits: array<f32>;      // [sample][class]
@group(0) @binding(2) var<storage, read> labels: array<u32>;      // [sample]
@group(0) @binding(3) var<storage, read_write> result: array<f32>; // [sample]

var<workgroup> shares: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let row = sample * sizes.quads * 4u;
  let own = logits[row + labels[sample]];
  var larger = 0u;
  for (var k = lane; k < sizes.classes; k += 64u) { larger += select(0u, 1u, logits[row + k] > own); }
  shares[lane] = larger;
  for (var half = 32u; half >= 1u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  if (lane == 0u) { result[sample] = select(0.0, 1.0, shares[0] < sizes.k); }
}
