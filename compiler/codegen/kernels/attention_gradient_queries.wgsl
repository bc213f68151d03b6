// The first half of attention's gradient: that of the queries. For a query t with weights p over the keys s, and u_s the
// product of the cotangent g of its result with the values of s, the score of s has the gradient p_s (u_s - sum p u).
// A thread computes a query: the keys pass once for the largest score, the sum of exponentials and the mean of u, and once
// for the gradient. What it knows of the query is written for the other half, attention_gradient_keys.
// Source: Dao et al. 2022, appendix B. Activations are [sample][position][channel].

const QUADS = 16u;      // quads of a head's channels, the last one maybe not full
const STAGED = 16u;     // keys that are in workgroup memory at once

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
@group(0) @binding(1) var<storage, read_write> rows: array<vec4f>;   // [sample][head][query] of largest score, 1 / sum, mean of u

var<workgroup> staged_keys: array<vec4f, STAGED * QUADS>;
var<workgroup> staged_values: array<vec4f, STAGED * QUADS>;

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

fn stage(sample: u32, first_key: u32, k_at: u32, lane: u32) {
  workgroupBarrier();
  for (var e = lane; e < STAGED * QUADS; e += 64u) {
    let quad = e % QUADS;
    let key = min(first_key + e / QUADS, sizes.positions - 1u);
    let at = (sample * sizes.positions + key) * sizes.qkv_row + k_at + quad * 4u;
    staged_keys[e] = load_qkv(at, rest(quad));
    staged_values[e] = load_qkv(at + sizes.part_stride, rest(quad));
  }
  workgroupBarrier();
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let head = workgroup.y;
  let query = workgroup.x * 64u + lane;
  let position = sample * sizes.positions + min(query, sizes.positions - 1u);
  let q_at = head * sizes.head_stride;
  let k_at = q_at + sizes.part_stride;

  var q = array<vec4f, QUADS>();
  var g = array<vec4f, QUADS>();
  for (var i = 0u; i < QUADS; i++) {
    q[i] = load_qkv(position * sizes.qkv_row + q_at + i * 4u, rest(i)) * sizes.scale;
    g[i] = load_g(position * sizes.g_row + head * sizes.head_channels + i * 4u, rest(i));
  }

  var highest = -3.4e38;
  var total = 0.0;
  var mixed = 0.0;
  for (var first_key = 0u; first_key < sizes.positions; first_key += STAGED) {
    stage(sample, first_key, k_at, lane);
    for (var key = 0u; key < min(STAGED, sizes.positions - first_key); key++) {
      var score = 0.0;
      var u = 0.0;
      for (var i = 0u; i < QUADS; i++) {
        score += dot(q[i], staged_keys[key * QUADS + i]);
        u += dot(g[i], staged_values[key * QUADS + i]);
      }
      let peak = max(highest, score);
      let shrink = exp(highest - peak);
      let weight = exp(score - peak);
      total = total * shrink + weight;
      mixed = mixed * shrink + weight * u;
      highest = peak;
    }
  }
  let share = 1.0 / total;
  let mean = mixed * share;

  var gradient = array<vec4f, QUADS>();
  for (var first_key = 0u; first_key < sizes.positions; first_key += STAGED) {
    stage(sample, first_key, k_at, lane);
    for (var key = 0u; key < min(STAGED, sizes.positions - first_key); key++) {
      var score = 0.0;
      var u = 0.0;
      for (var i = 0u; i < QUADS; i++) {
        score += dot(q[i], staged_keys[key * QUADS + i]);
        u += dot(g[i], staged_values[key * QUADS + i]);
      }
      let of_score = exp(score - highest) * share * (u - mean);
      for (var i = 0u; i < QUADS; i++) { gradient[i] += of_score * staged_keys[key * QUADS + i]; }
    }
  }

  if (query < sizes.positions) {
    for (var i = 0u; i < QUADS; i++) {
      store_channels(position * sizes.qkv_row + q_at + i * 4u, rest(i), gradient[i] * sizes.scale);
    }
    rows[(sample * sizes.heads + head) * sizes.positions + query] = vec4f(highest, share, mean, 0.0);
  }
}
