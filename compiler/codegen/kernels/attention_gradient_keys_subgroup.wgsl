// The second half of attention's gradient, those of keys and values, as attention_gradient_keys computes it, for processors
// that run a subgroup of 8 lanes as one vector: no workgroup memory, no barriers. A workgroup is one subgroup; it computes 16
// keys by up to HALVES * 32 channels of one head, 32 queries at a time: scores and the products u of the cotangent and the
// values with a lane a query, the gradients with a lane four channels. Source: Dao et al. 2022, appendix B.
// qkv is [sample][channel / 4][position], and so are the cotangent and the result.
enable subgroups;
diagnostic(off, subgroup_uniformity);

const HALVES = 2u;   // octets of channel quads of a slice of a head
const TEXTURE_WIDTH = 2048u;

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
@group(0) @binding(3) var<storage, read> rows: array<vec4f>;   // [sample][head][query] of largest score, 1 / sum, mean of u
@group(0) @binding(4) var<storage, read_write> result: array<vec4f>;

var<private> scores: array<array<vec4f, 8>, 2>;                 // [octet][key] of four octets of queries, a lane a query
var<private> products: array<array<vec4f, 8>, 2>;               // u, likewise
var<private> of_key: array<array<array<vec4f, HALVES>, 8>, 2>;  // [octet][key][half], a lane a quad
var<private> of_value: array<array<array<vec4f, HALVES>, 8>, 2>;

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

// hook: adds the products of a quad of channels of 16 keys and 32 queries
fn multiply(a: array<vec4f, 2>, w: mat4x4f) {
  for (var o = 0u; o < 2u; o++) {
    for (var i = 0u; i < 8u; i++) {
      for (var c = 0u; c < 4u; c++) { scores[o][i] += subgroupShuffle(a[o][c], i) * w[c]; }
    }
  }
}

// hook: the same of 16 values and 32 cotangents
fn multiply_g(a: array<vec4f, 2>, w: mat4x4f) {
  for (var o = 0u; o < 2u; o++) {
    for (var i = 0u; i < 8u; i++) {
      for (var c = 0u; c < 4u; c++) { products[o][i] += subgroupShuffle(a[o][c], i) * w[c]; }
    }
  }
}

// places of four octets of queries in a row that begins at `at`
fn places(at: u32, query: u32) -> vec4u {
  return at + min(vec4u(query, query + 8u, query + 16u, query + 24u), vec4u(sizes.positions - 1u));
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
  let key0 = min(workgroup.x * 16u + lane, last);
  let key1 = min(workgroup.x * 16u + 8u + lane, last);
  var quads = array<u32, HALVES>();   // where the quads of this lane begin, from a head's first on
  for (var h = 0u; h < HALVES; h++) {
    quads[h] = min(first_quad + h * 8u + lane, sizes.head_quads - 1u) * sizes.positions;
  }

  for (var first = 0u; first < sizes.positions; first += 32u) {
    for (var o = 0u; o < 2u; o++) {
      for (var i = 0u; i < 8u; i++) {
        scores[o][i] = vec4f();
        products[o][i] = vec4f();
      }
    }
    let query = first + lane;
    for (var quad = 0u; quad < sizes.head_quads; quad++) {
      let row = quad * sizes.positions;
      let k = array<vec4f, 2>(load_qkv(k_at + row + key0), load_qkv(k_at + row + key1));
      let at_q = places(q_at + row, query);
      multiply(k, transpose(mat4x4f(
        load_qkv(at_q.x),
        load_qkv(at_q.y),
        load_qkv(at_q.z),
        load_qkv(at_q.w),
      )));
      let v = array<vec4f, 2>(load_qkv(v_at + row + key0), load_qkv(v_at + row + key1));
      let at_g = places(g_at + row, query);
      multiply_g(v, transpose(mat4x4f(
        load_cotangent(at_g.x),
        load_cotangent(at_g.y),
        load_cotangent(at_g.z),
        load_cotangent(at_g.w),
      )));
    }
    let inside = vec4u(query, query + 8u, query + 16u, query + 24u) < vec4u(sizes.positions);
    let at_rows = places((workgroup.z * sizes.heads + head) * sizes.positions, query);
    let known = transpose(mat4x4f(rows[at_rows.x], rows[at_rows.y], rows[at_rows.z], rows[at_rows.w]));
    for (var o = 0u; o < 2u; o++) {
      for (var i = 0u; i < 8u; i++) {
        let weight = select(vec4f(), exp(scores[o][i] * sizes.scale - known[0]) * known[1], inside);
        scores[o][i] = weight * (products[o][i] - known[2]);
        products[o][i] = weight;
      }
    }
    for (var k = 0u; k < min(8u, sizes.positions - first); k++) {
      for (var b = 0u; b < 4u; b++) {
        let position = min(first + b * 8u + k, last);
        var q = array<vec4f, HALVES>();
        var g = array<vec4f, HALVES>();
        for (var h = 0u; h < HALVES; h++) {
          q[h] = load_qkv(q_at + quads[h] + position);
          g[h] = load_cotangent(g_at + quads[h] + position);
        }
        for (var o = 0u; o < 2u; o++) {
          for (var i = 0u; i < 8u; i++) {
            let of_score = subgroupShuffle(scores[o][i][b], k);
            let weight = subgroupShuffle(products[o][i][b], k);
            for (var h = 0u; h < HALVES; h++) {
              of_key[o][i][h] += of_score * q[h];
              of_value[o][i][h] += weight * g[h];
            }
          }
        }
      }
    }
  }

  for (var o = 0u; o < 2u; o++) {
    for (var i = 0u; i < 8u; i++) {
      let key = workgroup.x * 16u + o * 8u + i;
      for (var h = 0u; h < HALVES; h++) {
        let quad = first_quad + h * 8u + lane;
        if (key <= last && quad < sizes.head_quads) {
          result[k_at + quad * sizes.positions + key] = as_stored(of_key[o][i][h] * sizes.scale);
          result[v_at + quad * sizes.positions + key] = as_stored(of_value[o][i][h]);
        }
      }
    }
  }
}
