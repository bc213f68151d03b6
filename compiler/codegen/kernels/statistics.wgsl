// Statistics of a written activation for the norm that reads it: mean and sum of squared deviations of each channel
// over each tile of pixels. 8 x 8 threads: rows share the pixels of a tile, columns are channel quads.

struct Sizes {
  pixels: u32,          // pixels of a sample, and of a tile
  tile_pixels: u32,
  tiles: u32,
  quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4f>;   // [sample][tile][quad] of mean, M2

var<workgroup> row_sums: array<vec4f, 64>;

// hook: a quad of the source
fn load_source0(at: u32) -> vec4f {
  return source0[at];
}

// inline: mean, M2
fn statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// the sum over the rows of a column
fn sum_rows(value: vec4f, lane: u32) -> vec4f {
  workgroupBarrier();
  row_sums[lane] = value;
  for (var half = 32u; half >= 8u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { row_sums[lane] += row_sums[lane + half]; }
  }
  workgroupBarrier();
  return row_sums[lane % 8u];
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let quad = workgroup.y * 8u + lane % 8u;
  let begin = workgroup.x * sizes.tile_pixels;
  let end = min(begin + sizes.tile_pixels, sizes.pixels);
  let inside = quad < sizes.quads;
  var sum = vec4f();
  for (var p = begin + lane / 8u; p < end; p += 8u) {
    if (inside) { sum += load_source0((sample * sizes.pixels + p) * sizes.quads + quad); }
  }
  let mean = sum_rows(sum, lane) / f32(end - begin);
  var squares = vec4f();
  for (var p = begin + lane / 8u; p < end; p += 8u) {
    if (inside) {
      let deviation = load_source0((sample * sizes.pixels + p) * sizes.quads + quad) - mean;
      squares += deviation * deviation;
    }
  }
  let m2 = sum_rows(squares, lane);
  if (inside && lane < 8u) {
    let at = statistics_at(sample, sizes.tiles, workgroup.x, sizes.quads, quad);
    statistics[at] = mean;
    statistics[at + 1u] = m2;
  }
}
