// The transform of a cotangent by Winograd's F(m x m, 3 x 3), for the gradient of the weight: the m x m cotangents g of a tile
// become the planes A g AT, one for each product, as the output transform takes products to pixels by AT. Source: Lavin and
// Gray 2016, arXiv:1509.09308. For subgroups of 8 lanes: a workgroup is 8 tiles of one quad.
// The source is [sample][quad][pixel], the result [plane][quad][sample of the part][tile].

const M = 4u;       // pixels of a side of a tile, and planes of a side
const PATCH = 6u;
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  first_sample: u32,    // of the part of the batch that is computed at once
  tiles: u32,           // tiles of a sample, and of a row
  tiles_x: u32,
  height: u32,
  width: u32,
  quads: u32,
  plane_row: u32,       // vectors that the tiles of a plane take
  sample_step: u32,     // and from a sample's tiles to those of the next
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var source: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad of the cotangent
fn load_source(at: u32) -> vec4f {
  return textureLoad(source, texel(at));
}

// hook: A of a row or column of a tile
fn transform(g: array<vec4f, M>) -> array<vec4f, PATCH> {
  return array<vec4f, PATCH>();
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = sizes.first_sample + workgroup.z;
  let tile = workgroup.x * 8u + lane;
  let quad = workgroup.y;
  let y = tile / sizes.tiles_x * M;
  let x = tile % sizes.tiles_x * M;
  let base = (sample * sizes.quads + quad) * sizes.height * sizes.width;
  var rows = array<array<vec4f, M>, PATCH>();
  for (var j = 0u; j < M; j++) {
    var column = array<vec4f, M>();
    for (var i = 0u; i < M; i++) {
      let inside = y + i < sizes.height && x + j < sizes.width;
      let at = base + select(0u, (y + i) * sizes.width + x + j, inside);
      column[i] = select(vec4f(), load_source(at), inside);
    }
    let transformed = transform(column);
    for (var i = 0u; i < PATCH; i++) { rows[i][j] = transformed[i]; }
  }
  if (tile < sizes.tiles) {
    let to = workgroup.z * sizes.sample_step + quad * sizes.plane_row + tile;
    for (var i = 0u; i < PATCH; i++) {
      let transformed = transform(rows[i]);
      for (var j = 0u; j < PATCH; j++) {
        result[to + (i * PATCH + j) * sizes.quads * sizes.plane_row] = transformed[j];
      }
    }
  }
}
