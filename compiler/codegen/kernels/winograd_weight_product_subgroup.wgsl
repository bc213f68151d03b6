// The products of Winograd's algorithm for the gradient of a weight: for each plane a matrix product over the tiles of some
// samples, rows the channels of the cotangent, columns those of the input. For subgroups of 8 lanes: a workgroup is one
// subgroup; it computes ROWS * 4 channels of the cotangent by 32 channels of the input, as conv_weight_gradient_subgroup does.
// Planes are [sample of the part][plane][channel / 4][tile], the result is [plane][cotangent's channel][input's channel / 4];
// the first samples write it, later ones add to it.
enable subgroups;
diagnostic(off, subgroup_uniformity);

const ROWS = 8u;     // quads of the cotangent's channels that a workgroup computes
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  first_sample: u32,    // of the part of the batch that is computed at once, and how many they are
  samples: u32,
  tiles: u32,           // tiles of a sample
  plane_row: u32,       // vectors that the tiles of a plane take
  planes: u32,
  out_quads: u32,       // quads of the cotangent's channels, and how many they are
  out_channels: u32,
  quads: u32,           // of the input's channels
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var cotangent: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var input: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

var<private> sums: array<vec4f, ROWS * 4u>;   // [cotangent's channel] of a quad of the input

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

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let plane = workgroup.z;
  let first_out = workgroup.x * ROWS;
  let quad = workgroup.y * 8u + lane;
  let last = sizes.tiles - 1u;
  for (var sample = 0u; sample < sizes.samples; sample++) {
    let from_input = ((sample * sizes.planes + plane) * sizes.quads + min(quad, sizes.quads - 1u)) * sizes.plane_row;
    for (var octet = 0u; octet < sizes.tiles; octet += 8u) {
      let tile = min(octet + lane, last);
      var g = array<vec4f, ROWS>();
      for (var r = 0u; r < ROWS; r++) {
        let row = min(first_out + r, sizes.out_quads - 1u);
        g[r] = textureLoad(cotangent, texel(((sample * sizes.planes + plane) * sizes.out_quads + row) * sizes.plane_row + tile));
      }
      var x = array<vec4f, 8>();
      for (var p = 0u; p < 8u; p++) {
        let loaded = textureLoad(input, texel(from_input + min(octet + p, last)));
        x[p] = select(vec4f(), loaded, octet + p <= last);
      }
      multiply(g, x);
    }
  }
  for (var i = 0u; i < ROWS * 4u; i++) {
    let channel = first_out * 4u + i;
    if (quad < sizes.quads && channel < sizes.out_channels) {
      let to = (plane * sizes.out_channels + channel) * sizes.quads + quad;
      var before = vec4f();
      if (sizes.first_sample > 0u) { before = result[to]; }
      result[to] = before + sums[i];
    }
  }
}
