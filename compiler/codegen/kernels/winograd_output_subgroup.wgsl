// The output transform of Winograd's F(m x m, 3 x 3): the products of a tile become its m x m pixels AT p A, with the
// convolution's epilogue and the statistics that a later norm needs. Source: Lavin and Gray 2016, arXiv:1509.09308. For
// subgroups of 8 lanes: a workgroup is 8 tiles of one quad.
// The products are [sample of the part][plane][quad][tile], the result is [sample][quad][pixel].
enable subgroups;
diagnostic(off, subgroup_uniformity);

const M = 4u;       // pixels of a side of a tile of the output, and of its patch
const PATCH = 6u;
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  first_sample: u32,    // of the part of the batch that is computed at once
  tiles: u32,           // tiles of a sample, and of a row
  tiles_x: u32,
  height: u32,
  width: u32,
  out_quads: u32,
  plane_row: u32,       // vectors that the tiles of a plane take
  bias_at: u32,         // place of the bias behind the weights, in texels
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var product: texture_storage_2d<rgba32float, read>;   // the bias, behind the weights
@group(0) @binding(2) var<storage, read> planes: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad as it is stored
fn as_stored(quad: vec4f) -> vec4f {
  return quad;
}

// hook: what has to be known of the channels of a quad
fn prepare_quad(sample: u32, quad: u32) {
}

// hook: what is done to a finished quad; `at` is its place in the result
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

// hook: AT of a row or column of products
fn transform(p: array<vec4f, PATCH>) -> array<vec4f, M> {
  return array<vec4f, M>();
}

// the sum over the lanes
fn sum_lanes(value: vec4f) -> vec4f {
  var sum = value;
  sum += subgroupShuffleXor(sum, 1u);
  sum += subgroupShuffleXor(sum, 2u);
  sum += subgroupShuffleXor(sum, 4u);
  return sum;
}

// hook: the statistics of the finished tiles; `inside` says which pixels of a lane's tile are pixels of the image
fn finish_tile(sample: u32, tile: u32, quad: u32, lane: u32, values: array<array<vec4f, M>, M>, inside: array<array<bool, M>, M>) {
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = sizes.first_sample + workgroup.z;
  let tile = workgroup.x * 8u + lane;
  let quad = workgroup.y;
  prepare_quad(sample, quad);
  let from_tile = (workgroup.z * PATCH * PATCH * sizes.out_quads + quad) * sizes.plane_row + min(tile, sizes.tiles - 1u);
  var rows = array<array<vec4f, PATCH>, M>();
  for (var j = 0u; j < PATCH; j++) {
    var column = array<vec4f, PATCH>();
    for (var i = 0u; i < PATCH; i++) { column[i] = planes[from_tile + (i * PATCH + j) * sizes.out_quads * sizes.plane_row]; }
    let transformed = transform(column);
    for (var i = 0u; i < M; i++) { rows[i][j] = transformed[i]; }
  }
  let y = tile / sizes.tiles_x * M;
  let x = tile % sizes.tiles_x * M;
  let to = (sample * sizes.out_quads + quad) * sizes.height * sizes.width;
  let bias = textureLoad(product, texel(sizes.bias_at + quad));
  var values = array<array<vec4f, M>, M>();
  var inside = array<array<bool, M>, M>();
  for (var i = 0u; i < M; i++) {
    let transformed = transform(rows[i]);
    for (var j = 0u; j < M; j++) {
      inside[i][j] = tile < sizes.tiles && y + i < sizes.height && x + j < sizes.width;
      // only the store is masked: what a branch assigns costs the driver a blend and twice the code
      let at = to + select(0u, (y + i) * sizes.width + x + j, inside[i][j]);
      values[i][j] = epilogue(transformed[j] + bias, sample, quad, at);
      if (inside[i][j]) { result[at] = as_stored(values[i][j]); }
    }
  }
  finish_tile(sample, workgroup.x, quad, lane, values, inside);
}
