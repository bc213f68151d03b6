// Merges the statistics of all tiles of a channel into those of one tile. With n pixels, mean m and squares q a
// tile: mean = sum(n m) / N, M2 = sum(q + n (m - mean)^2). Source: Chan, Golub, LeVeque 1979.

struct Sizes {
  pixels: u32,          // pixels of a sample, and of a tile
  tile_pixels: u32,
  tiles: u32,
  quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;            // [sample][tile][quad] of mean, M2
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4f>;   // [sample][quad] of mean, M2

var<workgroup> row_sums: array<vec4f, 64>;

// inline: mean, M2
fn statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// inline: mean, M2 of all pixels, as one tile
fn merged_statistics_at(sample: u32, quads: u32, quad: u32) -> u32 {
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

fn pixels_of(tile: u32) -> f32 {
  return f32(min(sizes.tile_pixels, sizes.pixels - tile * sizes.tile_pixels));
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let quad = workgroup.x * 8u + lane % 8u;
  let inside = quad < sizes.quads;
  var sum = vec4f();
  for (var tile = lane / 8u; tile < sizes.tiles; tile += 8u) {
    if (inside) { sum += pixels_of(tile) * source0[statistics_at(sample, sizes.tiles, tile, sizes.quads, quad)]; }
  }
  let mean = sum_rows(sum, lane) / f32(sizes.pixels);
  var squares = vec4f();
  for (var tile = lane / 8u; tile < sizes.tiles; tile += 8u) {
    if (inside) {
      let at = statistics_at(sample, sizes.tiles, tile, sizes.quads, quad);
      let deviation = source0[at] - mean;
      squares += source0[at + 1u] + pixels_of(tile) * deviation * deviation;
    }
  }
  let m2 = sum_rows(squares, lane);
  if (inside && lane < 8u) {
    statistics[merged_statistics_at(sample, sizes.quads, quad)] = mean;
    statistics[merged_statistics_at(sample, sizes.quads, quad) + 1u] = m2;
  }
}
