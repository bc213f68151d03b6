// Attention over all positions on matrix units: float16 operands, float32 sums, scores that are never written. A
// workgroup of four subgroups of 32 computes 64 queries by 64 channels of one head, 32 keys at a time. Matrices are
// opaque, so sums cannot be rescaled when a larger score turns up: a first pass over the keys finds the largest score of
// each query, a second one computes the scores again, their exponentials and the weighted values.
// Source: Dao et al. 2022 (tiling); softmax in two passes over the scores.
// qkv is [sample][position][channel], its channels [head][q, k, v][channel] or [q, k, v][head][channel]; q and k are each scaled by channels^(-1/4).
enable chromium_experimental_subgroup_matrix;
enable f16;
enable subgroups;

struct Sizes {
  positions: u32,
  head_channels: u32,
  slices: u32,          // slices of 64 channels of a head
  head_stride: u32,     // channels of qkv from a head to the next, and from q to k to v of a head
  part_stride: u32,
  qkv_row: u32,         // channels of a stored position of qkv and of the result
  out_row: u32,
  scale: f32,           // channels^(-1/2)
}

@group(0) @binding(0) var<uniform> sizes: Sizes;

const ROW = 18u;        // vec4h of a row of 64 channels and 8 against bank conflicts
const ROW_P = 10u;      // vec4h of a row of 32 weights, likewise
const ROW_S = 36u;      // floats of a row of 32 scores, likewise

var<workgroup> queries: array<vec4h, 1152>;      // [64][ROW]
var<workgroup> keys: array<vec4h, 576>;          // [32][ROW], of keys, then of values
var<workgroup> scores: array<f32, 2304>;         // [64][ROW_S], and at the end blocks of sums
var<workgroup> softmax: array<vec4h, 640>;       // [64][ROW_P], the weights of the values
var<workgroup> halves: array<f32, 128>;          // what the two threads of a query tell each other

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sums = subgroup_matrix_result<f32, 16, 16>;

// matrix: 16 queries by 16 channels
fn load_queries(at: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&queries, at, ROW);
}

// matrix: 16 channels by 16 keys
fn load_keys(at: u32) -> Right {
  return subgroupMatrixLoad<Right, col_major>(&keys, at, ROW);
}

// matrix: 16 queries by 16 keys
fn load_softmax(at: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&softmax, at, ROW_P);
}

// matrix: 16 keys by 16 channels of their values
fn load_values(at: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&keys, at, ROW);
}

// matrix: sums + left right
fn multiply(left: Left, right: Right, sums: Sums) -> Sums {
  return subgroupMatrixMultiplyAccumulate(left, right, sums);
}

// matrix: a block of sums for all threads to read
fn store_block(at: u32, sums: Sums) {
  subgroupMatrixStore<row_major>(&scores, at, sums, ROW_S);
}

// matrix: which of the four subgroups this is
fn subgroup_of(id: u32, lane: u32) -> u32 {
  return id;
}

// hook: four channels at `at`, `count` of them of the head and the others zero
fn load_channels(at: u32, count: u32) -> vec4f {
  return vec4f();
}

// hook: writes the first `count` of four channels to `at`
fn store_channels(at: u32, count: u32, value: vec4f) {
}

// a quad of channels of a position, zero behind the last position and the last channel
fn load_quad(position: u32, first: u32, begin: u32, c: u32, end: u32) -> vec4h {
  if (position >= sizes.positions || c >= end) { return vec4h(); }
  return vec4h(load_channels((first + position) * sizes.qkv_row + begin + c, end - c));
}

@compute @workgroup_size(128)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(subgroup_id) id: u32,
) {
  let subgroup = subgroup_of(id, lane);
  let first_query = workgroup.x * 64u;
  let head = workgroup.y / sizes.slices;
  let slice = workgroup.y % sizes.slices * 64u;
  let first = workgroup.z * sizes.positions;
  let q_at = head * sizes.head_stride;
  let k_at = q_at + sizes.part_stride;
  let v_at = k_at + sizes.part_stride;
  // two threads share a query: each has 16 of 32 keys
  let query = lane / 2u;
  let half = lane % 2u * 16u;

  var highest = -3.4e38;
  var total = 0.0;
  var sums = array<Sums, 4>();
  for (var round = 0u; round < 2u; round++) {
    for (var first_key = 0u; first_key < sizes.positions; first_key += 32u) {
      var products = array<Sums, 2>();
      for (var c0 = 0u; c0 < sizes.head_channels; c0 += 64u) {
        workgroupBarrier();
        // queries of one slice stay where they are
        if (sizes.head_channels > 64u || (round == 0u && first_key == 0u)) {
          for (var e = lane; e < 1024u; e += 128u) {
            queries[e / 16u * ROW + e % 16u] = load_quad(first_query + e / 16u, first, q_at, c0 + e % 16u * 4u, sizes.head_channels);
          }
        }
        for (var e = lane; e < 512u; e += 128u) {
          keys[e / 16u * ROW + e % 16u] = load_quad(first_key + e / 16u, first, k_at, c0 + e % 16u * 4u, sizes.head_channels);
        }
        workgroupBarrier();
        for (var k = 0u; k < 4u; k++) {
          let left = load_queries(subgroup * 16u * ROW + k * 4u);
          for (var j = 0u; j < 2u; j++) { products[j] = multiply(left, load_keys(j * 16u * ROW + k * 4u), products[j]); }
        }
      }
      for (var j = 0u; j < 2u; j++) { store_block(subgroup * 16u * ROW_S + j * 16u, products[j]); }
      workgroupBarrier();

      let count = min(16u, max(sizes.positions - first_key, half) - half);
      let at = query * ROW_S + half;
      if (round == 0u) {
        for (var k = 0u; k < count; k++) { highest = max(highest, scores[at + k] * sizes.scale); }
        continue;
      }
      for (var k = 0u; k < 16u; k += 4u) {
        var weight = vec4f();
        for (var i = 0u; i < 4u; i++) {
          if (k + i < count) { weight[i] = exp(scores[at + k + i] * sizes.scale - highest); }
        }
        softmax[query * ROW_P + (half + k) / 4u] = vec4h(weight);
        total += weight.x + weight.y + weight.z + weight.w;
      }
      for (var e = lane; e < 512u; e += 128u) {
        let end = min(slice + 64u, sizes.head_channels);
        keys[e / 16u * ROW + e % 16u] = load_quad(first_key + e / 16u, first, v_at, slice + e % 16u * 4u, end);
      }
      workgroupBarrier();
      for (var k = 0u; k < 2u; k++) {
        let left = load_softmax(subgroup * 16u * ROW_P + k * 4u);
        for (var j = 0u; j < 4u; j++) { sums[j] = multiply(left, load_values(k * 16u * ROW + j * 4u), sums[j]); }
      }
    }
    halves[lane] = select(highest, total, round == 1u);
    workgroupBarrier();
    let other = halves[lane ^ 1u];
    highest = max(highest, select(other, highest, round == 1u));
    total += select(0.0, other, round == 1u);
    workgroupBarrier();
  }

  for (var j = 0u; j < 4u; j++) {
    workgroupBarrier();
    store_block(subgroup * 16u * ROW_S, sums[j]);
    workgroupBarrier();
    for (var c = half / 2u; c < half / 2u + 8u; c += 4u) {
      let at = query * ROW_S + c;
      let value = vec4f(scores[at], scores[at + 1u], scores[at + 2u], scores[at + 3u]) / total;
      let channel = slice + j * 16u + c;
      if (first_query + query < sizes.positions && channel < sizes.head_channels) {
        let to = (first + first_query + query) * sizes.out_row + head * sizes.head_channels + channel;
        store_channels(to, sizes.head_channels - channel, value);
      }
    }
  }
}
