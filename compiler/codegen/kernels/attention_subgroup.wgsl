// Attention over all positions in one pass over the keys, for processors that run a subgroup of 8 lanes as one
// vector: no workgroup memory, no barriers. A workgroup is one subgroup; it computes 16 queries by up to HALVES * 32
// channels of one head, 32 keys at a time: scores with a lane a key, softmax with a running maximum, values with a lane
// four channels. Source: Milakov and Gimelshein 2018 (online softmax).
// qkv is [sample][channel / 4][position], its channels [head][q, k, v][channel] or [q, k, v][head][channel]; q and k are each scaled by channels^(-1/4).
enable subgroups;
diagnostic(off, subgroup_uniformity);

const HALVES = 2u;   // octets of channel quads of a slice of a head
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  positions: u32,
  head_quads: u32,      // quads of a head's channels
  slices: u32,          // slices of HALVES * 8 quads of a head
  head_stride: u32,     // quads of qkv from a head to the next, and from q to k to v of a head
  part_stride: u32,
  qkv_quads: u32,       // quads of a position of qkv and of the result
  out_quads: u32,
  scale: f32,           // channels^(-1/2)
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var source0: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

var<private> scores: array<array<vec4f, 8>, 2>;                 // [octet][query] of four octets of keys, a lane a key
var<private> sums: array<array<array<vec4f, HALVES>, 8>, 2>;    // [octet][query][half], a lane a quad
var<private> highest: array<array<f32, 8>, 2>;
var<private> total: array<array<f32, 8>, 2>;                    // of the exponentials so far, a part in each lane

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad of queries, keys or values
fn load_source0(at: u32) -> vec4f {
  return textureLoad(source0, texel(at));
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

// the maximum over the lanes
fn max_lanes(value: f32) -> f32 {
  var peak = max(value, subgroupShuffleXor(value, 1u));
  peak = max(peak, subgroupShuffleXor(peak, 2u));
  return max(peak, subgroupShuffleXor(peak, 4u));
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let head = workgroup.y / sizes.slices;
  let first_value = workgroup.y % sizes.slices * HALVES * 8u;
  let last = sizes.positions - 1u;
  let q_at = (workgroup.z * sizes.qkv_quads + head * sizes.head_stride) * sizes.positions;
  let k_at = q_at + sizes.part_stride * sizes.positions;
  let v_at = k_at + sizes.part_stride * sizes.positions;
  let query0 = q_at + min(workgroup.x * 16u + lane, last);
  let query1 = q_at + min(workgroup.x * 16u + 8u + lane, last);
  var values = array<u32, HALVES>();   // where the quads of values of this lane begin
  for (var h = 0u; h < HALVES; h++) {
    values[h] = v_at + min(first_value + h * 8u + lane, sizes.head_quads - 1u) * sizes.positions;
  }
  for (var o = 0u; o < 2u; o++) {
    for (var i = 0u; i < 8u; i++) { highest[o][i] = -3.4e38; }
  }

  for (var first = 0u; first < sizes.positions; first += 32u) {
    for (var o = 0u; o < 2u; o++) {
      for (var i = 0u; i < 8u; i++) { scores[o][i] = vec4f(); }
    }
    let key = first + lane;
    for (var quad = 0u; quad < sizes.head_quads; quad++) {
      let row = quad * sizes.positions;
      let q = array<vec4f, 2>(load_source0(query0 + row), load_source0(query1 + row));
      let k = mat4x4f(
        load_source0(k_at + row + min(key, last)),
        load_source0(k_at + row + min(key + 8u, last)),
        load_source0(k_at + row + min(key + 16u, last)),
        load_source0(k_at + row + min(key + 24u, last)),
      );
      multiply(q, transpose(k));
    }
    let inside = vec4u(key, key + 8u, key + 16u, key + 24u) < vec4u(sizes.positions);
    for (var o = 0u; o < 2u; o++) {
      for (var i = 0u; i < 8u; i++) {
        let score = select(vec4f(-3.4e38), scores[o][i] * sizes.scale, inside);
        let peak = max(highest[o][i], max_lanes(max(max(score.x, score.y), max(score.z, score.w))));
        let shrink = exp(highest[o][i] - peak);
        highest[o][i] = peak;
        scores[o][i] = select(vec4f(), exp(score - peak), inside);
        total[o][i] = total[o][i] * shrink + scores[o][i].x + scores[o][i].y + scores[o][i].z + scores[o][i].w;
        for (var h = 0u; h < HALVES; h++) { sums[o][i][h] *= shrink; }
      }
    }
    for (var k = 0u; k < min(8u, sizes.positions - first); k++) {
      for (var b = 0u; b < 4u; b++) {
        var value = array<vec4f, HALVES>();
        for (var h = 0u; h < HALVES; h++) {
          value[h] = load_source0(values[h] + min(first + b * 8u + k, last));
        }
        for (var o = 0u; o < 2u; o++) {
          for (var i = 0u; i < 8u; i++) {
            let weight = subgroupShuffle(scores[o][i][b], k);
            for (var h = 0u; h < HALVES; h++) { sums[o][i][h] += weight * value[h]; }
          }
        }
      }
    }
  }

  for (var o = 0u; o < 2u; o++) {
    for (var i = 0u; i < 8u; i++) {
      var all = total[o][i];
      all += subgroupShuffleXor(all, 1u);
      all += subgroupShuffleXor(all, 2u);
      all += subgroupShuffleXor(all, 4u);
      let query = workgroup.x * 16u + o * 8u + i;
      for (var h = 0u; h < HALVES; h++) {
        let quad = first_value + h * 8u + lane;
        if (query <= last && quad < sizes.head_quads) {
          let to = (workgroup.z * sizes.out_quads + head * sizes.head_quads + quad) * sizes.positions + query;
          result[to] = as_stored(sums[o][i][h] / all);
        }
      }
    }
  }
}
