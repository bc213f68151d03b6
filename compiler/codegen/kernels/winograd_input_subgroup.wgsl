// The input transform of Winograd's F(m x m, 3 x 3): every m x m tile of the output reads a patch d of (m + 2) x (m + 2)
// pixels of the padded input, through the norm in front of the convolution, and becomes the planes BT d B, one for each
// product. Source: Lavin and Gray 2016, arXiv:1509.09308. For subgroups of 8 lanes: a workgroup is 8 tiles of one quad.
// The source is [sample][quad][pixel], the result [sample of the part][plane][quad][tile], or for the gradient
// of a weight [plane][quad][sample of the part][tile].

const M = 4u;       // pixels of a side of a tile of the output, and of its patch
const PATCH = 6u;
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  first_sample: u32,    // of the part of the batch that is computed at once
  tiles: u32,           // tiles of a sample, and of a row
  tiles_x: u32,
  height: u32,
  width: u32,
  quads: u32,           // quads of the source, and of all sources that are read as one
  all_quads: u32,
  first_quad: u32,      // where the source's begin among all
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

// hook, written out: a quad of the source
fn load_source(at: u32) -> vec4f {
  return textureLoad(source, texel(at));
}

// hook: what has to be known of the channels of a quad
fn prepare_quad(sample: u32, quad: u32) {
}

// hook: what is done to a loaded quad
fn prologue(loaded: vec4f) -> vec4f {
  return loaded;
}

// hook: BT of a row or column of a patch
fn transform(d: array<vec4f, PATCH>) -> array<vec4f, PATCH> {
  return d;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = sizes.first_sample + workgroup.z;
  let tile = workgroup.x * 8u + lane;
  let quad = sizes.first_quad + workgroup.y;
  prepare_quad(sample, quad);
  // the patch begins one pixel above and to the left of the tile; numbers below 0 wrap around and are outside, too
  let y = tile / sizes.tiles_x * M - 1u;
  let x = tile % sizes.tiles_x * M - 1u;
  let base = (sample * sizes.quads + workgroup.y) * sizes.height * sizes.width;
  var rows = array<array<vec4f, PATCH>, PATCH>();
  for (var j = 0u; j < PATCH; j++) {
    var column = array<vec4f, PATCH>();
    for (var i = 0u; i < PATCH; i++) {
      let inside = y + i < sizes.height && x + j < sizes.width;
      let at = base + select(0u, (y + i) * sizes.width + x + j, inside);
      column[i] = select(vec4f(), prologue(load_source(at)), inside);
    }
    let transformed = transform(column);
    for (var i = 0u; i < PATCH; i++) { rows[i][j] = transformed[i]; }
  }
  if (tile < sizes.tiles) {
    let to = workgroup.z * sizes.sample_step + quad * sizes.plane_row + tile;
    for (var i = 0u; i < PATCH; i++) {
      let transformed = transform(rows[i]);
      for (var j = 0u; j < PATCH; j++) {
        result[to + (i * PATCH + j) * sizes.all_quads * sizes.plane_row] = transformed[j];
      }
    }
  }
}
