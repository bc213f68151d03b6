// The statistics of a row of tiles of winograd_output: each thread merges those of its tiles one after the other, then the
// threads that have the same quad are merged in their order (Chan, Golub and LeVeque 1979).

const M = 4u;
const COLUMNS = 16u;

struct Sizes {
  height: u32,
  out_quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;

// inline: mean, M2
fn statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// linked:

var<private> merged_pixels: f32;
var<private> merged_mean: vec4f;
var<private> merged_m2: vec4f;
var<workgroup> means: array<vec4f, 64>;   // of each thread
var<workgroup> m2s: array<vec4f, 64>;
var<workgroup> counts: array<f32, 64>;

// merges the statistics of more pixels into those of a thread
fn merge_pixels(pixels: f32, mean: vec4f, m2: vec4f) {
  let all = merged_pixels + pixels;
  if (pixels > 0.0) {
    let deviation = mean - merged_mean;
    merged_mean += deviation * (pixels / all);
    merged_m2 += m2 + deviation * deviation * (merged_pixels * pixels / all);
  }
  merged_pixels = all;
}

// fills: adds a finished tile to a thread's statistics; `rows` and `columns` are those of its pixels in the image
fn add_tile(values: array<vec4f, M * M>, rows: u32, columns: u32) {
  let pixels = f32(rows * columns);
  var sum = vec4f();
  for (var i = 0u; i < M; i++) { // written out
    for (var j = 0u; j < M; j++) { // written out
      sum += select(vec4f(), values[i * M + j], i < rows && j < columns);
    }
  }
  let mean = sum / pixels;
  var squares = vec4f();
  for (var i = 0u; i < M; i++) { // written out
    for (var j = 0u; j < M; j++) { // written out
      squares += select(vec4f(), (values[i * M + j] - mean) * (values[i * M + j] - mean), i < rows && j < columns);
    }
  }
  merge_pixels(pixels, mean, squares);
}

// fills: the statistics of a finished row of tiles
fn finish_row(sample: u32, row: u32, quad: u32, lane: u32) {
  means[lane] = merged_mean;
  m2s[lane] = merged_m2;
  counts[lane] = merged_pixels;
  workgroupBarrier();
  if (lane < COLUMNS && quad < sizes.out_quads) {
    for (var other = lane + COLUMNS; other < 64u; other += COLUMNS) { merge_pixels(counts[other], means[other], m2s[other]); }
    let at = statistics_at(sample, (sizes.height + M - 1u) / M, row, sizes.out_quads, quad);
    statistics[at] = merged_mean;
    statistics[at + 1u] = merged_m2;
  }
}
