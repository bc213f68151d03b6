// Attention over all positions on matrix units: float16 operands, float32 sums, scores that are never written. A
// workgroup of four subgroups computes QUERIES queries by 64 channels of one head, 32 keys at a time, in one pass over the
// keys: weights are exponentials of scores less a reference, and where a score is larger than its query's reference by more
// than SLACK, that score becomes the reference and the sums so far are scaled. Matrices are opaque, so they are scaled in
// workgroup memory; that is rare, for SLACK is as much as float16 has room for.
// Source: Dao et al. 2022 (tiling, one pass), with references that lag behind the largest score.
// qkv is [sample][position][channel], its channels [head][q, k, v][channel] or [q, k, v][head][channel]; q and k are each scaled by channels^(-1/4).
enable chromium_experimental_subgroup_matrix;
enable f16;
enable subgroups;

const MATRIX_M = 16u;   // what matrix units multiply: M x K elements by K x N
const MATRIX_N = 16u;
const MATRIX_K = 16u;
const LANES = 32u;      // threads of a subgroup
const VECTORS = 1u;     // vectors that hold eight channels: 1 of float16, 2 of float32
const QUERIES = 64u;    // queries a workgroup computes
const THREADS = 4u * LANES;
const SHARE = THREADS / QUERIES;              // threads of a query: each has 32 / SHARE of 32 keys
const ROWS = QUERIES / 4u / MATRIX_M;         // matrices of a subgroup: queries by 64 channels, or by 32 keys
const CHANNELS = 64u / MATRIX_N;
const KEYS = 32u / MATRIX_N;
const ROW = 8u * VECTORS + 1u;                // vectors of a row of 64 channels and one against bank conflicts
const ROW_P = 4u * VECTORS + 1u;              // vectors of a row of 32 weights, likewise
const ROW_S = 36u;                            // floats of a row of 32 scores, likewise
const SLACK = 5.5;                            // weights are at most e^5.5, 245

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

var<workgroup> queries: array<vec4u, QUERIES * ROW>;
var<workgroup> keys: array<vec4u, 32u * ROW>;         // of keys, then of values
var<workgroup> scores: array<f32, QUERIES * ROW_S>;   // also sums, where they are scaled and at the end
var<workgroup> softmax: array<vec4u, QUERIES * ROW_P>;   // the weights of the values
var<workgroup> shares: array<f32, THREADS>;           // what the threads of a query tell each other
var<workgroup> rescaled: atomic<u32>;                 // the last first key at which sums were to be scaled

alias Component = f16;    // what matrices are made of
alias Left = subgroup_matrix_left<Component, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Component, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

// matrix: queries by channels
fn load_queries(at: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&queries, at, ROW);
}

// matrix: channels by keys
fn load_keys(at: u32) -> Right {
  return subgroupMatrixLoad<Right, col_major>(&keys, at, ROW);
}

// matrix: queries by keys
fn load_softmax(at: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&softmax, at, ROW_P);
}

// matrix: keys by channels of their values
fn load_values(at: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&keys, at, ROW);
}

// matrix: sums + left right
fn multiply(left: Left, right: Right, sums: Sums) -> Sums {
  return subgroupMatrixMultiplyAccumulate(left, right, sums);
}

// matrix: a matrix of sums for all threads to read
fn store_sums(at: u32, sums: Sums) {
  subgroupMatrixStore<row_major>(&scores, at, sums, ROW_S);
}

// matrix: the same back
fn load_sums(at: u32) -> Sums {
  return subgroupMatrixLoad<Sums, row_major>(&scores, at, ROW_S);
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

// hook: a vector of what matrices load
fn vector_of(low: vec4f, high: vec4f) -> vec4u {
  return vec4u(bitcast<vec2u>(vec4h(low)), bitcast<vec2u>(vec4h(high)));
}

// a quad of channels of a position, zero behind the last position and the last channel
fn load_quad(position: u32, first: u32, begin: u32, c: u32, end: u32) -> vec4f {
  if (position >= sizes.positions || c >= end) { return vec4f(); }
  return load_channels((first + position) * sizes.qkv_row + begin + c, end - c);
}

// the vector of a position that begins at channel `slot` vectors behind `c0`
fn load_vector(position: u32, first: u32, begin: u32, c0: u32, slot: u32, end: u32) -> vec4u {
  let c = c0 + slot * 8u / VECTORS;
  let low = load_quad(position, first, begin, c, end);
  var high = vec4f();
  if (VECTORS == 1u) { high = load_quad(position, first, begin, c + 4u, end); }
  return vector_of(low, high);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(subgroup_id) id: u32,
) {
  let first_row = subgroup_of(id, lane) * (QUERIES / 4u);
  let first_query = workgroup.x * QUERIES;
  let head = workgroup.y / sizes.slices;
  let slice = workgroup.y % sizes.slices * 64u;
  let first = workgroup.z * sizes.positions;
  let q_at = head * sizes.head_stride;
  let k_at = q_at + sizes.part_stride;
  let v_at = k_at + sizes.part_stride;
  let query = lane / SHARE;
  let share = lane % SHARE;
  let slots = 8u * VECTORS;
  if (lane == 0u) { atomicStore(&rescaled, 0u); }

  var reference = -3.4e38;
  var total = 0.0;
  var sums = array<Sums, ROWS * CHANNELS>(); // written out
  for (var first_key = 0u; first_key < sizes.positions; first_key += 32u) {
    var products = array<Sums, ROWS * KEYS>(); // written out
    for (var c0 = 0u; c0 < sizes.head_channels; c0 += 64u) {
      workgroupBarrier();
      // queries of one slice stay where they are
      if (sizes.head_channels > 64u || first_key == 0u) {
        for (var e = lane; e < QUERIES * slots; e += THREADS) {
          queries[e / slots * ROW + e % slots] = load_vector(first_query + e / slots, first, q_at, c0, e % slots, sizes.head_channels);
        }
      }
      for (var e = lane; e < 32u * slots; e += THREADS) {
        keys[e / slots * ROW + e % slots] = load_vector(first_key + e / slots, first, k_at, c0, e % slots, sizes.head_channels);
      }
      workgroupBarrier();
      for (var k = 0u; k < 64u / MATRIX_K; k++) {
        let at = k * (MATRIX_K / 8u) * VECTORS;
        for (var i = 0u; i < ROWS; i++) { // written out
          let left = load_queries((first_row + i * MATRIX_M) * ROW + at);
          for (var j = 0u; j < KEYS; j++) { // written out
            products[i * KEYS + j] = multiply(left, load_keys(j * MATRIX_N * ROW + at), products[i * KEYS + j]);
          }
        }
      }
    }
    for (var i = 0u; i < ROWS; i++) { // written out
      for (var j = 0u; j < KEYS; j++) { // written out
        store_sums((first_row + i * MATRIX_M) * ROW_S + j * MATRIX_N, products[i * KEYS + j]);
      }
    }
    workgroupBarrier();

    var largest = -3.4e38;
    for (var k = 0u; k < min(32u, sizes.positions - first_key); k++) { largest = max(largest, scores[query * ROW_S + k] * sizes.scale); }
    var factor = 1.0;
    if (largest > reference + SLACK) {
      factor = exp(reference - largest);
      reference = largest;
      total *= factor;
      atomicMax(&rescaled, first_key);
    }
    for (var k = share * (32u / SHARE); k < (share + 1u) * (32u / SHARE); k += 8u / VECTORS) {
      var weights = array<vec4f, 2>();
      for (var i = 0u; i < 8u / VECTORS; i++) {
        if (first_key + k + i < sizes.positions) { weights[i / 4u][i % 4u] = exp(scores[query * ROW_S + k + i] * sizes.scale - reference); }
      }
      softmax[query * ROW_P + k * VECTORS / 8u] = vector_of(weights[0], weights[1]);
      total += dot(weights[0], vec4f(1.0)) + dot(weights[1], vec4f(1.0));
    }
    for (var e = lane; e < 32u * slots; e += THREADS) {
      let end = min(slice + 64u, sizes.head_channels);
      keys[e / slots * ROW + e % slots] = load_vector(first_key + e / slots, first, v_at, slice, e % slots, end);
    }
    // a barrier, too; at the first keys there is nothing to scale
    let scaling = workgroupUniformLoad(&rescaled);
    if (scaling == first_key && first_key > 0u) {
      for (var half = 0u; half < 2u; half++) { // written out
        for (var i = 0u; i < ROWS; i++) { // written out
          for (var j = 0u; j < CHANNELS / 2u; j++) { // written out
            store_sums((first_row + i * MATRIX_M) * ROW_S + j * MATRIX_N, sums[i * CHANNELS + half * CHANNELS / 2u + j]);
          }
        }
        workgroupBarrier();
        for (var k = share; k < 32u; k += SHARE) { scores[query * ROW_S + k] *= factor; }
        workgroupBarrier();
        for (var i = 0u; i < ROWS; i++) { // written out
          for (var j = 0u; j < CHANNELS / 2u; j++) { // written out
            sums[i * CHANNELS + half * CHANNELS / 2u + j] = load_sums((first_row + i * MATRIX_M) * ROW_S + j * MATRIX_N);
          }
        }
      }
    }
    for (var k = 0u; k < 32u / MATRIX_K; k++) {
      for (var i = 0u; i < ROWS; i++) { // written out
        let left = load_softmax((first_row + i * MATRIX_M) * ROW_P + k * (MATRIX_K / 8u) * VECTORS);
        for (var j = 0u; j < CHANNELS; j++) { // written out
          let right = load_values(k * MATRIX_K * ROW + j * (MATRIX_N / 8u) * VECTORS);
          sums[i * CHANNELS + j] = multiply(left, right, sums[i * CHANNELS + j]);
        }
      }
    }
  }

  shares[lane] = total;
  workgroupBarrier();
  total = 0.0;
  for (var i = 0u; i < SHARE; i++) { total += shares[query * SHARE + i]; }
  for (var c0 = 0u; c0 < 64u; c0 += 16u) {
    workgroupBarrier();
    for (var i = 0u; i < ROWS; i++) { // written out
      for (var j = 0u; j < CHANNELS; j++) { // written out
        if (c0 == j * MATRIX_N / 16u * 16u) { store_sums((first_row + i * MATRIX_M) * ROW_S + j * MATRIX_N % 16u, sums[i * CHANNELS + j]); }
      }
    }
    workgroupBarrier();
    for (var c = share * (16u / SHARE); c < (share + 1u) * (16u / SHARE); c += 4u) {
      let at = query * ROW_S + c;
      let value = vec4f(scores[at], scores[at + 1u], scores[at + 2u], scores[at + 3u]) / total;
      let channel = slice + c0 + c;
      if (first_query + query < sizes.positions && channel < sizes.head_channels) {
        let to = (first + first_query + query) * sizes.out_row + head * sizes.head_channels + channel;
        store_channels(to, sizes.head_channels - channel, value);
      }
    }
  }
}
