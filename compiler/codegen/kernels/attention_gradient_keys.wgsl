// The second half of attention's gradient: those of keys and values, from what the first half, attention_gradient_queries,
// knows of each query. With the weight p_ts of a key s for a query t, and u_ts the product of the cotangent of t's result
// with the values of s: of the key sum_t p_ts (u_ts - mean_t) q_t, of the value sum_t p_ts g_t. A thread computes a key.
// Source: Dao et al. 2022, appendix B. Activations are [sample][position][channel].

const QUADS = 16u;      // quads of a head's channels, the last one maybe not full
const STAGED = 16u;     // queries that are in workgroup memory at once

struct Sizes {
  positions: u32,
  heads: u32,
  head_channels: u32,
  head_stride: u32,     // channels of qkv from a head to the next, and from q to k to v of a head
  part_stride: u32,
  qkv_row: u32,         // channels of a stored position of qkv, and of the cotangent
  g_row: u32,
  scale: f32,           // channels^(-1/2)
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> rows: array<vec4f>;   // [sample][head][query] of largest score, 1 / sum, mean of u

var<workgroup> staged_queries: array<vec4f, STAGED * QUADS>;
var<workgroup> staged_g: array<vec4f, STAGED * QUADS>;

// hook: four channels of qkv at `at`, `count` of them of the head and the others zero
fn load_qkv(at: u32, count: u32) -> vec4f {
  return vec4f();
}

// hook: four channels of the cotangent, likewise
fn load_g(at: u32, count: u32) -> vec4f {
  return vec4f();
}

// hook: writes the first `count` of four channels to `at`
fn store_channels(at: u32, count: u32, value: vec4f) {
}

// channels of a head from a quad on
fn rest(quad: u32) -> u32 {
  return sizes.head_channels - min(quad * 4u, sizes.head_channels);
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let head = workgroup.y;
  let key = workgroup.x * 64u + lane;
  let position = sample * sizes.positions + min(key, sizes.positions - 1u);
  let q_at = head * sizes.head_stride;
  let k_at = position * sizes.qkv_row + q_at + sizes.part_stride;
  let v_at = k_at + sizes.part_stride;

  var k = array<vec4f, QUADS>();
  var v = array<vec4f, QUADS>();
  for (var i = 0u; i < QUADS; i++) {
    k[i] = load_qkv(k_at + i * 4u, rest(i)) * sizes.scale;
    v[i] = load_qkv(v_at + i * 4u, rest(i));
  }

  var of_key = array<vec4f, QUADS>();
  var of_value = array<vec4f, QUADS>();
  for (var first_query = 0u; first_query < sizes.positions; first_query += STAGED) {
    workgroupBarrier();
    for (var e = lane; e < STAGED * QUADS; e += 64u) {
      let quad = e % QUADS;
      let at = sample * sizes.positions + min(first_query + e / QUADS, sizes.positions - 1u);
      staged_queries[e] = load_qkv(at * sizes.qkv_row + q_at + quad * 4u, rest(quad));
      staged_g[e] = load_g(at * sizes.g_row + head * sizes.head_channels + quad * 4u, rest(quad));
    }
    workgroupBarrier();
    for (var query = 0u; query < min(STAGED, sizes.positions - first_query); query++) {
      let row = rows[(sample * sizes.heads + head) * sizes.positions + first_query + query];
      var score = 0.0;
      var u = 0.0;
      for (var i = 0u; i < QUADS; i++) {
        score += dot(k[i], staged_queries[query * QUADS + i]);
        u += dot(v[i], staged_g[query * QUADS + i]);
      }
      let weight = exp(score - row.x) * row.y;
      let of_score = weight * (u - row.z);
      for (var i = 0u; i < QUADS; i++) {
        of_key[i] += of_score * staged_queries[query * QUADS + i];
        of_value[i] += weight * staged_g[query * QUADS + i];
      }
    }
  }

  if (key < sizes.positions) {
    for (var i = 0u; i < QUADS; i++) {
      store_channels(k_at + i * 4u, rest(i), of_key[i] * sizes.scale);
      store_channels(v_at + i * 4u, rest(i), of_value[i]);
    }
  }
}
