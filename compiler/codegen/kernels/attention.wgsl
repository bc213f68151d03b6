// Attention over all positions in one pass over the keys: the scores of 32 queries with 32 keys at a time, softmax
// with a running maximum, and the weighted values. Scores are never written. A workgroup of 8 x 8 threads computes
// 32 queries by 64 channels of one head. Source: Milakov and Gimelshein 2018 (online softmax), Dao et al. 2022.
// qkv is [sample][position][channel], its channels [head][q, k, v][channel] or [q, k, v][head][channel]; q and k are each scaled by channels^(-1/4).

struct Sizes {
  positions: u32,
  head_channels: u32,
  slices: u32,          // slices of 64 channels of a head
  head_stride: u32,     // channels of qkv from a head to the next, and from q to k to v of a head
  part_stride: u32,
  qkv_row: u32,         // floats of a stored position of qkv and of the result
  out_row: u32,
  scale: f32,           // channels^(-1/2)
}

@group(0) @binding(0) var<uniform> sizes: Sizes;

const ROW = 33u;        // floats of a row of scores: 32 keys and one against bank conflicts

var<workgroup> staged: array<f32, 2112>;      // queries [32][33] and keys [32][33] of 32 channels, or values [32][64]
var<workgroup> scores: array<f32, 1056>;      // [query][key]
var<workgroup> maximum: array<f32, 32>;       // of each query so far
var<workgroup> total: array<f32, 32>;         // sum of exponentials so far
var<workgroup> rescale: array<f32, 32>;       // of what was summed before the maximum grew

// hook: four channels at `at`, `count` of them of the head and the others zero
fn load_channels(at: u32, count: u32) -> vec4f {
  return vec4f();
}

// hook: writes the first `count` of four channels to `at`
fn store_channels(at: u32, count: u32, value: vec4f) {
}

fn stage(at: u32, value: vec4f) {
  staged[at] = value.x;
  staged[at + 1u] = value.y;
  staged[at + 2u] = value.z;
  staged[at + 3u] = value.w;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let row = lane / 8u;
  let column = lane % 8u;
  let first_query = workgroup.x * 32u;
  let head = workgroup.y / sizes.slices;
  let slice = workgroup.y % sizes.slices;
  let sample = workgroup.z * sizes.positions;
  let q_at = head * sizes.head_stride;
  let k_at = q_at + sizes.part_stride;
  let v_at = k_at + sizes.part_stride + slice * 64u;
  let v_channels = min(64u, sizes.head_channels - slice * 64u);

  if (lane < 32u) {
    maximum[lane] = -3.4e38;
    total[lane] = 0.0;
  }
  var sums: array<vec4f, 8>;   // queries i * 8 + row, channels (j * 8 + column) * 4: [j * 4 + i]
  for (var first_key = 0u; first_key < sizes.positions; first_key += 32u) {
    // scores of queries i * 8 + row with keys j * 8 + column
    var products = array<vec4f, 4>();
    for (var c0 = 0u; c0 < sizes.head_channels; c0 += 32u) {
      let width = min(32u, sizes.head_channels - c0);
      let quads = (width + 3u) / 4u;
      workgroupBarrier();
      for (var e = lane; e < 32u * quads; e += 64u) {
        let position = e / quads;
        let c = e % quads * 4u;
        let query = min(first_query + position, sizes.positions - 1u);
        let key = min(first_key + position, sizes.positions - 1u);
        stage(position * ROW + c, load_channels((sample + query) * sizes.qkv_row + q_at + c0 + c, width - c));
        stage(1056u + position * ROW + c, load_channels((sample + key) * sizes.qkv_row + k_at + c0 + c, width - c));
      }
      workgroupBarrier();
      for (var c = 0u; c < width; c++) {
        let at = 1056u + column * ROW + c;
        let keys = vec4f(staged[at], staged[at + 8u * ROW], staged[at + 16u * ROW], staged[at + 24u * ROW]);
        for (var i = 0u; i < 4u; i++) { products[i] += staged[(i * 8u + row) * ROW + c] * keys; }
      }
    }
    for (var i = 0u; i < 4u; i++) {
      let at = (i * 8u + row) * ROW + column;
      scores[at] = products[i].x * sizes.scale;
      scores[at + 8u] = products[i].y * sizes.scale;
      scores[at + 16u] = products[i].z * sizes.scale;
      scores[at + 24u] = products[i].w * sizes.scale;
    }
    workgroupBarrier();

    // softmax over the keys seen so far
    let keys = min(32u, sizes.positions - first_key);
    if (lane < 32u) {
      var highest = maximum[lane];
      for (var key = 0u; key < keys; key++) { highest = max(highest, scores[lane * ROW + key]); }
      let shrink = exp(maximum[lane] - highest);
      var sum = total[lane] * shrink;
      for (var key = 0u; key < keys; key++) {
        let weight = exp(scores[lane * ROW + key] - highest);
        scores[lane * ROW + key] = weight;
        sum += weight;
      }
      maximum[lane] = highest;
      total[lane] = sum;
      rescale[lane] = shrink;
    }
    for (var e = lane; e < keys * 16u; e += 64u) {
      let key = e / 16u;
      let c = e % 16u * 4u;
      let value = (sample + first_key + key) * sizes.qkv_row + v_at + c;
      stage(e * 4u, load_channels(value, v_channels - min(c, v_channels)));
    }
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      let shrink = rescale[i * 8u + row];
      sums[i] *= shrink;
      sums[4u + i] *= shrink;
    }
    for (var key = 0u; key < keys; key++) {
      let at = key * 64u + column * 4u;
      let low = vec4f(staged[at], staged[at + 1u], staged[at + 2u], staged[at + 3u]);
      let high = vec4f(staged[at + 32u], staged[at + 33u], staged[at + 34u], staged[at + 35u]);
      for (var i = 0u; i < 4u; i++) {
        let weight = scores[(i * 8u + row) * ROW + key];
        sums[i] += weight * low;
        sums[4u + i] += weight * high;
      }
    }
  }

  for (var i = 0u; i < 4u; i++) {
    let query = first_query + i * 8u + row;
    if (query < sizes.positions) {
      let share = 1.0 / total[i * 8u + row];
      let at = (sample + query) * sizes.out_row + head * sizes.head_channels + slice * 64u;
      for (var j = 0u; j < 2u; j++) {
        let c = j * 32u + column * 4u;
        store_channels(at + c, v_channels - min(c, v_channels), sums[j * 4u + i] * share);
      }
    }
  }
}
