// The first half of attention's gradient, that of the queries, as attention_gradient_queries computes it, for processors that
// run a subgroup of 8 lanes as one vector: no workgroup memory, no barriers. A workgroup is one subgroup; it computes 16
// queries by up to HALVES * 32 channels of one head, 32 keys at a time: scores and the products u of the cotangent and the
// values with a lane a key, the gradient with a lane four channels. The keys pass once for the largest score, the sum of
// exponentials and the mean of u, and once for the gradient; scores and u of the first KEPT blocks of keys are kept between the
// two, which costs less than to compute them again. What it knows of a query is written for the other half,
// attention_gradient_keys_subgroup. Source: Dao et al. 2022, appendix B.
// qkv is [sample][channel / 4][position], and so are the cotangent and the result.
enable subgroups;
diagnostic(off, subgroup_uniformity);

const HALVES = 2u;   // octets of channel quads of a slice of a head
const TEXTURE_WIDTH = 2048u;
const KEPT = 8u;     // blocks of 32 keys; their scores and products take half of the 8,192 bytes that WGSL lets a shader keep

struct Sizes {
  positions: u32,
  heads: u32,
  head_quads: u32,      // quads of a head's channels
  slices: u32,          // slices of HALVES * 8 quads of a head
  head_stride: u32,     // quads of qkv from a head to the next, and from q to k to v of a head
  part_stride: u32,
  qkv_quads: u32,       // quads of a position of qkv, and of the cotangent
  g_quads: u32,
  scale: f32,           // channels^(-1/2)
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var qkv: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var cotangent: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read_write> rows: array<vec4f>;   // [sample][head][query] of largest score, 1 / sum, mean of u
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

var<private> scores: array<array<vec4f, 8>, 2>;                 // [octet][query] of four octets of keys, a lane a key
var<private> products: array<array<vec4f, 8>, 2>;               // u, likewise
var<private> kept: array<array<array<vec4f, 8>, 4>, KEPT>;       // [block]: scores, then products, of the first blocks
var<private> sums: array<array<array<vec4f, HALVES>, 8>, 2>;    // [octet][query][half], a lane a quad
var<private> highest: array<array<f32, 8>, 2>;
var<private> total: array<array<f32, 8>, 2>;                    // of the exponentials so far, a part in each lane
var<private> mixed: array<array<f32, 8>, 2>;                    // of the exponentials times u

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad of queries, keys or values
fn load_qkv(at: u32) -> vec4f {
  return textureLoad(qkv, texel(at));
}

// hook, written out: a quad of the cotangent
fn load_cotangent(at: u32) -> vec4f {
  return textureLoad(cotangent, texel(at));
}

// hook, written out: a quad as it is stored
fn as_stored(quad: vec4f) -> vec4f {
  return quad;
}

// hook: adds the products of a quad of channels of 16 queries and 32 keys
fn multiply(a: array<vec4f, 2>, w: mat4x4f) {
  for (var o = 0u; o < 2u; o++) {
    for (var i = 0u; i < 8u; i++) {
      for (var c = 0u; c < 4u; c++) { scores[o][i] += subgroupShuffle(a[o][c], i) * w[c]; }
    }
  }
}

// hook: the same of 16 cotangents and 32 values
fn multiply_g(a: array<vec4f, 2>, w: mat4x4f) {
  for (var o = 0u; o < 2u; o++) {
    for (var i = 0u; i < 8u; i++) {
      for (var c = 0u; c < 4u; c++) { products[o][i] += subgroupShuffle(a[o][c], i) * w[c]; }
    }
  }
}

// the maximum over the lanes
fn max_lanes(value: f32) -> f32 {
  var peak = max(value, subgroupShuffleXor(value, 1u));
  peak = max(peak, subgroupShuffleXor(peak, 2u));
  return max(peak, subgroupShuffleXor(peak, 4u));
}

// the sum over the lanes
fn sum_lanes(value: f32) -> f32 {
  var sum = value;
  sum += subgroupShuffleXor(sum, 1u);
  sum += subgroupShuffleXor(sum, 2u);
  sum += subgroupShuffleXor(sum, 4u);
  return sum;
}

// a quad of channels of four octets of keys, a channel a column
fn load_keys(at: u32, key: u32) -> mat4x4f {
  let last = sizes.positions - 1u;
  return transpose(mat4x4f(
    load_qkv(at + min(key, last)),
    load_qkv(at + min(key + 8u, last)),
    load_qkv(at + min(key + 16u, last)),
    load_qkv(at + min(key + 24u, last)),
  ));
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let head = workgroup.y / sizes.slices;
  let first_quad = workgroup.y % sizes.slices * HALVES * 8u;
  let last = sizes.positions - 1u;
  let q_at = (workgroup.z * sizes.qkv_quads + head * sizes.head_stride) * sizes.positions;
  let k_at = q_at + sizes.part_stride * sizes.positions;
  let v_at = k_at + sizes.part_stride * sizes.positions;
  let g_at = (workgroup.z * sizes.g_quads + head * sizes.head_quads) * sizes.positions;
  let query0 = min(workgroup.x * 16u + lane, last);
  let query1 = min(workgroup.x * 16u + 8u + lane, last);
  var keys = array<u32, HALVES>();   // where the quads of keys of this lane begin
  for (var h = 0u; h < HALVES; h++) {
    keys[h] = k_at + min(first_quad + h * 8u + lane, sizes.head_quads - 1u) * sizes.positions;
  }
  for (var o = 0u; o < 2u; o++) {
    for (var i = 0u; i < 8u; i++) { highest[o][i] = -3.4e38; }
  }

  for (var round = 0u; round < 2u; round++) {
    for (var first = 0u; first < sizes.positions; first += 32u) {
      for (var o = 0u; o < 2u; o++) {
        for (var i = 0u; i < 8u; i++) {
          scores[o][i] = vec4f();
          products[o][i] = vec4f();
        }
      }
      let key = first + lane;
      let block = first / 32u;
      let summed = select(sizes.head_quads, 0u, round == 1u && block < KEPT);   // quads of channels that are yet to be summed
      for (var quad = 0u; quad < summed; quad++) {
        let row = quad * sizes.positions;
        let q = array<vec4f, 2>(load_qkv(q_at + row + query0), load_qkv(q_at + row + query1));
        multiply(q, load_keys(k_at + row, key));
        let g = array<vec4f, 2>(load_cotangent(g_at + row + query0), load_cotangent(g_at + row + query1));
        multiply_g(g, load_keys(v_at + row, key));
      }
      let inside = vec4u(key, key + 8u, key + 16u, key + 24u) < vec4u(sizes.positions);
      if (block < KEPT) {
        for (var o = 0u; o < 2u; o++) {
          for (var i = 0u; i < 8u; i++) {
            if (round == 0u) {
              kept[block][o][i] = scores[o][i];
              kept[block][o + 2u][i] = products[o][i];
            } else {
              scores[o][i] = kept[block][o][i];
              products[o][i] = kept[block][o + 2u][i];
            }
          }
        }
      }
      if (round == 0u) {
        for (var o = 0u; o < 2u; o++) {
          for (var i = 0u; i < 8u; i++) {
            let score = select(vec4f(-3.4e38), scores[o][i] * sizes.scale, inside);
            let peak = max(highest[o][i], max_lanes(max(max(score.x, score.y), max(score.z, score.w))));
            let shrink = exp(highest[o][i] - peak);
            let weight = select(vec4f(), exp(score - peak), inside);
            highest[o][i] = peak;
            total[o][i] = total[o][i] * shrink + dot(weight, vec4f(1.0));
            mixed[o][i] = mixed[o][i] * shrink + dot(weight, products[o][i]);
          }
        }
      } else {
        for (var o = 0u; o < 2u; o++) {
          for (var i = 0u; i < 8u; i++) {
            let weight = exp(scores[o][i] * sizes.scale - highest[o][i]) * total[o][i];
            scores[o][i] = select(vec4f(), weight * (products[o][i] - mixed[o][i]), inside);
          }
        }
        for (var k = 0u; k < min(8u, sizes.positions - first); k++) {
          for (var b = 0u; b < 4u; b++) {
            var value = array<vec4f, HALVES>();
            for (var h = 0u; h < HALVES; h++) { value[h] = load_qkv(keys[h] + min(first + b * 8u + k, last)); }
            for (var o = 0u; o < 2u; o++) {
              for (var i = 0u; i < 8u; i++) {
                let of_score = subgroupShuffle(scores[o][i][b], k);
                for (var h = 0u; h < HALVES; h++) { sums[o][i][h] += of_score * value[h]; }
              }
            }
          }
        }
      }
    }
    if (round == 0u) {
      // from here on the reciprocal sum, and the mean of u
      for (var o = 0u; o < 2u; o++) {
        for (var i = 0u; i < 8u; i++) {
          total[o][i] = 1.0 / sum_lanes(total[o][i]);
          mixed[o][i] = sum_lanes(mixed[o][i]) * total[o][i];
        }
      }
    }
  }

  for (var o = 0u; o < 2u; o++) {
    for (var i = 0u; i < 8u; i++) {
      let query = workgroup.x * 16u + o * 8u + i;
      if (query <= last && lane == 0u && first_quad == 0u) {
        rows[(workgroup.z * sizes.heads + head) * sizes.positions + query] = vec4f(highest[o][i], total[o][i], mixed[o][i], 0.0);
      }
      for (var h = 0u; h < HALVES; h++) {
        let quad = first_quad + h * 8u + lane;
        if (query <= last && quad < sizes.head_quads) {
          result[q_at + quad * sizes.positions + query] = as_stored(sums[o][i][h] * sizes.scale);
        }
      }
    }
  }
}
