// Attention over all positions in one pass over the keys, for processors that run a subgroup of 8 lanes as one
// vector: no workgroup memory, no barriers. A workgroup is one subgroup; it computes 8 queries by up to 64 channels of
// one head, 8 keys at a time: scores with a lane a key, softmax with a running maximum, values with a lane a channel.
// Source: Milakov and Gimelshein 2018 (online softmax).
// qkv is [sample][position][head][q, k, v][channel]; q and k are each scaled by channels^(-1/4).
enable subgroups;
diagnostic(off, subgroup_uniformity);

struct Sizes {
  positions: u32,
  heads: u32,
  head_channels: u32,
  slices: u32,          // slices of 64 channels of a head
  qkv_row: u32,         // floats of a stored position of qkv and of the result
  out_row: u32,
  scale: f32,           // channels^(-1/2)
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let head = workgroup.y / sizes.slices;
  let slice = workgroup.y % sizes.slices;
  let first = workgroup.z * sizes.positions;
  let last = sizes.positions - 1u;
  let q_at = head * 3u * sizes.head_channels;
  let k_at = q_at + sizes.head_channels;
  let v_at = k_at + sizes.head_channels + slice * 64u;
  let channels = min(64u, sizes.head_channels - slice * 64u);
  let query = (first + min(workgroup.x * 8u + lane, last)) * sizes.qkv_row + q_at;

  var sums = array<f32, 64>();       // [query][octet of channels], a lane a channel
  var highest = array<f32, 8>(-3.4e38, -3.4e38, -3.4e38, -3.4e38, -3.4e38, -3.4e38, -3.4e38, -3.4e38);
  var total = array<f32, 8>();       // of the exponentials so far, a part in each lane
  for (var first_key = 0u; first_key < sizes.positions; first_key += 8u) {
    var scores = array<f32, 8>();    // [query], a lane a key
    let key = (first + min(first_key + lane, last)) * sizes.qkv_row + k_at;
    for (var c = 0u; c < sizes.head_channels; c++) {
      let q = source0[query + c];
      let k = source0[key + c];
      for (var i = 0u; i < 8u; i++) { scores[i] += subgroupShuffle(q, i) * k; }
    }
    for (var i = 0u; i < 8u; i++) {
      let score = select(-3.4e38, scores[i] * sizes.scale, first_key + lane < sizes.positions);
      let peak = max(highest[i], subgroupMax(score));
      let shrink = exp(highest[i] - peak);
      highest[i] = peak;
      scores[i] = select(0.0, exp(score - peak), first_key + lane < sizes.positions);
      total[i] = total[i] * shrink + scores[i];
      for (var j = 0u; j < 8u; j++) { sums[i * 8u + j] *= shrink; }
    }
    for (var k = 0u; k < min(8u, sizes.positions - first_key); k++) {
      let value = (first + first_key + k) * sizes.qkv_row + v_at;
      var v = array<f32, 8>();
      for (var j = 0u; j < 8u; j++) {
        if (j * 8u < channels) { v[j] = source0[value + min(j * 8u + lane, channels - 1u)]; }
      }
      for (var i = 0u; i < 8u; i++) {
        let weight = subgroupShuffle(scores[i], k);
        for (var j = 0u; j < 8u; j++) { sums[i * 8u + j] += weight * v[j]; }
      }
    }
  }

  for (var i = 0u; i < 8u; i++) {
    let share = 1.0 / subgroupAdd(total[i]);
    let at = (first + workgroup.x * 8u + i) * sizes.out_row + head * sizes.head_channels + slice * 64u + lane;
    for (var j = 0u; j < 8u; j++) {
      if (workgroup.x * 8u + i <= last && j * 8u + lane < channels) { result[at + j * 8u] = sums[i * 8u + j] * share; }
    }
  }
}
