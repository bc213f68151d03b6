// The gradient of a 3x3 convolution's weight by Winograd's F(m x m, 3 x 3), once input and cotangent are transformed: for each
// plane a matrix product over the tiles of some samples, rows the channels of the cotangent, columns those of the input, and
// the last transform GT p G of these products p to taps. Source: Lavin and Gray 2016, arXiv:1509.09308. For subgroups of 8
// lanes: a workgroup is one subgroup; it computes all taps of ROWS * 4 channels of the cotangent by 32 channels of the input.
// Products are never stored: each counts in three sums of its row of planes, and these in the nine taps.
// Planes are [plane][channel / 4][tile], the result is [cotangent's channel][tap][input's channel / 4].
enable subgroups;
diagnostic(off, subgroup_uniformity);

const PATCH = 6u;    // planes of a side
const ROWS = 4u;     // quads of the cotangent's channels that a workgroup computes
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  first_sample: u32,    // of the part of the batch that is computed at once; later parts add to what earlier ones wrote
  tiles: u32,           // tiles of all samples of the part
  plane_row: u32,       // vectors that the tiles of a plane take
  out_quads: u32,       // quads of the cotangent's channels, and how many they are
  out_channels: u32,
  quads: u32,           // of the input's channels
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var cotangent: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var input: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

var<private> sums: array<vec4f, ROWS * 4u>;       // [cotangent's channel] of a quad of the input, of a plane
var<private> row: array<vec4f, 3u * ROWS * 4u>;   // [tap of a row][cotangent's channel], of a row of planes
var<private> taps: array<vec4f, 9u * ROWS * 4u>;  // [tap][cotangent's channel]

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook: adds the products of eight tiles' quads of the cotangent with a quad of the input of each
fn multiply(g: array<vec4f, ROWS>, x: array<vec4f, 8>) {
  for (var r = 0u; r < ROWS; r++) {
    for (var c = 0u; c < 4u; c++) {
      for (var p = 0u; p < 8u; p++) { sums[r * 4u + c] += subgroupShuffle(g[r][c], p) * x[p]; }
    }
  }
}

// hook: the row of G of a point
fn row_of_g(point: u32) -> vec3f {
  return vec3f();
}

// hook: counts the products of a plane in the sums of its row of planes
fn add_plane(g: vec3f) {
  for (var k = 0u; k < 3u; k++) {
    for (var i = 0u; i < ROWS * 4u; i++) { row[k * ROWS * 4u + i] += g[k] * sums[i]; }
  }
}

// hook: counts the sums of a row of planes in the taps
fn add_row(g: vec3f) {
  for (var k = 0u; k < 9u; k++) {
    for (var i = 0u; i < ROWS * 4u; i++) { taps[k * ROWS * 4u + i] += g[k / 3u] * row[k % 3u * ROWS * 4u + i]; }
  }
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let first_out = workgroup.x * ROWS;
  let quad = workgroup.y * 8u + lane;
  let last = sizes.tiles - 1u;
  for (var i = 0u; i < PATCH; i++) {
    row = array<vec4f, 3u * ROWS * 4u>();
    for (var j = 0u; j < PATCH; j++) {
      let plane = i * PATCH + j;
      let from_input = (plane * sizes.quads + min(quad, sizes.quads - 1u)) * sizes.plane_row;
      sums = array<vec4f, ROWS * 4u>();
      for (var octet = 0u; octet < sizes.tiles; octet += 8u) {
        let tile = min(octet + lane, last);
        var g = array<vec4f, ROWS>();
        for (var r = 0u; r < ROWS; r++) {
          let out = min(first_out + r, sizes.out_quads - 1u);
          g[r] = textureLoad(cotangent, texel((plane * sizes.out_quads + out) * sizes.plane_row + tile));
        }
        var x = array<vec4f, 8>();
        for (var p = 0u; p < 8u; p++) {
          let loaded = textureLoad(input, texel(from_input + min(octet + p, last)));
          x[p] = select(vec4f(), loaded, octet + p <= last);
        }
        multiply(g, x);
      }
      add_plane(row_of_g(j));
    }
    add_row(row_of_g(i));
  }
  for (var i = 0u; i < ROWS * 4u; i++) {
    let channel = first_out * 4u + i;
    if (quad < sizes.quads && channel < sizes.out_channels) {
      for (var k = 0u; k < 9u; k++) {
        let to = (channel * 9u + k) * sizes.quads + quad;
        var before = vec4f();
        if (sizes.first_sample > 0u) { before = result[to]; }
        result[to] = before + taps[k * ROWS * 4u + i];
      }
    }
  }
}
