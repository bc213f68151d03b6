// The statistics of a tile of conv_matrix: mean and M2 of a thread's pixels, one after the other (Welford 1962); then the
// first thread of a quad merges those of all threads that had the quad.

const ACROSS = 2u;
const DOWN = 2u;

struct Sizes {
  out_quads: u32,
  tiles: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;

var<workgroup> scratch: array<f32, 1280>;

// inline: mean, M2
fn statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// linked:

var<private> pixels_seen: f32;
var<private> mean: vec4f;
var<private> m2: vec4f;

// fills: takes a finished quad into the statistics of the tile
fn collect(value: vec4f) {
  pixels_seen += 1.0;
  let deviation = value - mean;
  mean += deviation / pixels_seen;
  m2 += deviation * (value - mean);
}

// fills: the statistics of the finished columns
fn finish_columns(sample: u32, tile: u32, quad: u32, lane: u32) {
  workgroupBarrier();
  for (var c = 0u; c < 4u; c++) {
    scratch[lane * 9u + c] = mean[c];
    scratch[lane * 9u + 4u + c] = m2[c];
  }
  scratch[lane * 9u + 8u] = pixels_seen;
  mean = vec4f();
  m2 = vec4f();
  pixels_seen = 0.0;
  workgroupBarrier();
  if (lane / 32u < ACROSS && lane % 32u < 4u && quad < sizes.out_quads) {
    var pixels = 0.0;
    var all_mean = vec4f();
    var all_m2 = vec4f();
    for (var t = 0u; t < 8u * DOWN; t++) {
      let one = ((t / 8u * ACROSS + lane / 32u) * 32u + t % 8u * 4u + lane % 4u) * 9u;
      let more = scratch[one + 8u];
      if (more > 0.0) {
        let deviation = vec4f(scratch[one], scratch[one + 1u], scratch[one + 2u], scratch[one + 3u]) - all_mean;
        let squares = vec4f(scratch[one + 4u], scratch[one + 5u], scratch[one + 6u], scratch[one + 7u]);
        all_m2 += squares + deviation * deviation * (pixels * more / (pixels + more));
        all_mean += deviation * (more / (pixels + more));
        pixels += more;
      }
    }
    let at = statistics_at(sample, sizes.tiles, tile, sizes.out_quads, quad);
    statistics[at] = all_mean;
    statistics[at + 1u] = all_m2;
  }
}
