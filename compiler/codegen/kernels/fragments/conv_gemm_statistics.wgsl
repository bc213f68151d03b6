// The statistics of a tile of conv_gemm: mean, then squared deviations from it, over the tile's pixels. Each row of
// threads sums its own pixels, then the rows are summed.

const TILE_M = 64u;
const PIXELS = 8u;
const ROWS = 8u;
const COLUMNS = 8u;

struct Sizes {
  pixels: u32,
  out_quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;

// inline: mean, M2
fn statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// linked:

var<workgroup> of_rows: array<vec4f, 64>;    // of each row of threads, its columns

// fills: the statistics of the finished tile
fn finish_tile(sample: u32, tile: u32, quad: u32, row: u32, column: u32, values: array<vec4f, PIXELS>) {
  let pixels = min(TILE_M, sizes.pixels - tile * TILE_M);
  var mean = vec4f();
  for (var i = 0u; i < PIXELS; i++) { mean += select(vec4f(), values[i], i * ROWS + row < pixels); }
  workgroupBarrier();
  of_rows[row * COLUMNS + column] = mean;
  for (var half = ROWS / 2u; half >= 1u; half /= 2u) {
    workgroupBarrier();
    if (row < half) { of_rows[row * COLUMNS + column] += of_rows[(row + half) * COLUMNS + column]; }
  }
  workgroupBarrier();
  mean = of_rows[column];
  mean /= f32(pixels);
  var m2 = vec4f();
  for (var i = 0u; i < PIXELS; i++) {
    let deviation = values[i] - mean;
    m2 += select(vec4f(), deviation * deviation, i * ROWS + row < pixels);
  }
  workgroupBarrier();
  of_rows[row * COLUMNS + column] = m2;
  for (var half = ROWS / 2u; half >= 1u; half /= 2u) {
    workgroupBarrier();
    if (row < half) { of_rows[row * COLUMNS + column] += of_rows[(row + half) * COLUMNS + column]; }
  }
  workgroupBarrier();
  m2 = of_rows[column];
  if (row == 0u && quad < sizes.out_quads) {
    let at = statistics_at(sample, (sizes.pixels + TILE_M - 1u) / TILE_M, tile, sizes.out_quads, quad);
    statistics[at] = mean;
    statistics[at + 1u] = m2;
  }
}
