// Attention over all positions in one pass over the keys, for processors that run a subgroup of 8 lanes as one
// vector: no workgroup memory, no barriers. A workgroup is one subgroup; it computes 8 queries by up to 64 channels of
// one head, 8 keys at a time: scores with a lane a key, softmax with a running maximum, values with a lane four channels.
// Source: Milakov and Gimelshein 2018 (online softmax).
// qkv is [sample][position][head][q, k, v][channel]; q and k are each scaled by channels^(-1/4).
enable subgroups;
diagnostic(off, subgroup_uniformity);

struct Sizes {
  positions: u32,
  head_channels: u32,
  slices: u32,          // slices of 64 channels of a head
  qkv_row: u32,         // floats of a stored position of qkv and of the result
  out_row: u32,
  scale: f32,           // channels^(-1/2)
}

@group(0) @binding(0) var<uniform> sizes: Sizes;

// hook: four channels at `at`, `count` of them of the head and the others zero
fn load_channels(at: u32, count: u32) -> vec4f {
  return vec4f();
}

// hook: writes the first `count` of four channels to `at`
fn store_channels(at: u32, count: u32, value: vec4f) {
}

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

  var sums = array<vec4f, 16>();     // [query][half of the slice], a lane four channels
  var highest = array<f32, 8>(-3.4e38, -3.4e38, -3.4e38, -3.4e38, -3.4e38, -3.4e38, -3.4e38, -3.4e38);
  var total = array<f32, 8>();       // of the exponentials so far, a part in each lane
  for (var first_key = 0u; first_key < sizes.positions; first_key += 8u) {
    var scores = array<f32, 8>();    // [query], a lane a key
    let key = (first + min(first_key + lane, last)) * sizes.qkv_row + k_at;
    for (var c = 0u; c < sizes.head_channels; c += 4u) {
      let q = load_channels(query + c, sizes.head_channels - c);
      let k = load_channels(key + c, sizes.head_channels - c);
      for (var i = 0u; i < 8u; i++) { scores[i] += dot(subgroupShuffle(q, i), k); }
    }
    for (var i = 0u; i < 8u; i++) {
      let score = select(-3.4e38, scores[i] * sizes.scale, first_key + lane < sizes.positions);
      let peak = max(highest[i], subgroupMax(score));
      let shrink = exp(highest[i] - peak);
      highest[i] = peak;
      scores[i] = select(0.0, exp(score - peak), first_key + lane < sizes.positions);
      total[i] = total[i] * shrink + scores[i];
      sums[i * 2u] *= shrink;
      sums[i * 2u + 1u] *= shrink;
    }
    for (var k = 0u; k < min(8u, sizes.positions - first_key); k++) {
      let value = (first + first_key + k) * sizes.qkv_row + v_at;
      let low = load_channels(value + lane * 4u, channels - min(lane * 4u, channels));
      let high = load_channels(value + 32u + lane * 4u, channels - min(32u + lane * 4u, channels));
      for (var i = 0u; i < 8u; i++) {
        let weight = subgroupShuffle(scores[i], k);
        sums[i * 2u] += weight * low;
        sums[i * 2u + 1u] += weight * high;
      }
    }
  }

  for (var i = 0u; i < 8u; i++) {
    let share = 1.0 / subgroupAdd(total[i]);
    let at = (first + workgroup.x * 8u + i) * sizes.out_row + head * sizes.head_channels + slice * 64u + lane * 4u;
    if (workgroup.x * 8u + i <= last) {
      store_channels(at, channels - min(lane * 4u, channels), sums[i * 2u] * share);
      store_channels(at + 32u, channels - min(32u + lane * 4u, channels), sums[i * 2u + 1u] * share);
    }
  }
}
