// The output transform of Winograd's F(4x4, 3x3): the products of a tile become its 4 x 4 pixels AT p A, with the convolution's
// epilogue and the statistics that a later norm needs. Source: Lavin and Gray 2016, arXiv:1509.09308. A workgroup of 16 x 4
// threads goes over a row of tiles, which are four rows of pixels, of 16 quads.
// The products are [plane][tile of all samples of the part][quad], the result is [sample][pixel][quad].

const M = 4u;       // pixels of a side of a tile of the output, and of its patch
const PATCH = 6u;
const COLUMNS = 16u;   // quads that threads side by side take

struct Sizes {
  first_sample: u32,    // of the part of the batch that is computed at once
  tiles: u32,           // tiles of a sample, and of a row
  tiles_x: u32,
  plane_tiles: u32,     // tiles of all samples of the part
  pixels: u32,
  height: u32,
  width: u32,
  out_quads: u32,
  bias_at: u32,         // place in the weights, in vec4f
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;   // the bias, behind those of the product
@group(0) @binding(2) var<storage, read> planes: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

// hook: what is done to a finished quad; `at` is its place in the result
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

// hook: AT of a row or column of products
fn transform(p: array<vec4f, PATCH>) -> array<vec4f, M> {
  return array<vec4f, M>();
}

// hook: adds a finished tile to a thread's statistics; `rows` and `columns` are those of its pixels in the image
fn add_tile(values: array<vec4f, M * M>, rows: u32, columns: u32) {
}

// hook: the statistics of a finished row of tiles
fn finish_row(sample: u32, row: u32, quad: u32, lane: u32) {
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = sizes.first_sample + workgroup.z;
  let quad = workgroup.y * COLUMNS + lane % COLUMNS;
  let y = workgroup.x * M;
  let rows = min(M, sizes.height - y);
  if (quad < sizes.out_quads) {
    let bias = weights[sizes.bias_at + quad];
    for (var tile_x = lane / COLUMNS; tile_x < sizes.tiles_x; tile_x += 64u / COLUMNS) {
      let tile = workgroup.x * sizes.tiles_x + tile_x;
      let from_tile = (workgroup.z * sizes.tiles + tile) * sizes.out_quads + quad;
      let plane = sizes.plane_tiles * sizes.out_quads;
      var transformed_rows = array<vec4f, M * PATCH>(); // written out
      for (var j = 0u; j < PATCH; j++) { // written out
        let column = transform(array<vec4f, PATCH>(
          planes[from_tile + j * plane],
          planes[from_tile + (j + PATCH) * plane],
          planes[from_tile + (j + 2u * PATCH) * plane],
          planes[from_tile + (j + 3u * PATCH) * plane],
          planes[from_tile + (j + 4u * PATCH) * plane],
          planes[from_tile + (j + 5u * PATCH) * plane],
        ));
        for (var i = 0u; i < M; i++) { // written out
          transformed_rows[i * PATCH + j] = column[i];
        }
      }
      let x = tile_x * M;
      let columns = min(M, sizes.width - x);
      let to = (sample * sizes.pixels + y * sizes.width + x) * sizes.out_quads + quad;
      var values = array<vec4f, M * M>();
      for (var i = 0u; i < M; i++) { // written out
        let row = transform(array<vec4f, PATCH>(
          transformed_rows[i * PATCH],
          transformed_rows[i * PATCH + 1u],
          transformed_rows[i * PATCH + 2u],
          transformed_rows[i * PATCH + 3u],
          transformed_rows[i * PATCH + 4u],
          transformed_rows[i * PATCH + 5u],
        ));
        for (var j = 0u; j < M; j++) { // written out
          if (i < rows && j < columns) {
            let at = to + (i * sizes.width + j) * sizes.out_quads;
            values[i * M + j] = epilogue(row[j] + bias, sample, quad, at);
            result[at] = values[i * M + j];
          }
        }
      }
      add_tile(values, rows, columns);
    }
  }
  finish_row(sample, workgroup.x, quad, lane);
}
