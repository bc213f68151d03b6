// The statistics of a tile of conv_subgroup: a lane has all pixels of its quad. Mean, then squared deviations from it.

const OCTETS = 2u;
const SETS = 2u;

struct Sizes {
  pixels: u32,
  out_quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;

var<private> sums: array<array<array<vec4f, SETS>, 8>, OCTETS>;

// inline: mean, M2, pixels
fn counted_statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// linked:

// fills: the statistics of the finished tile
fn finish_tile(sample: u32, tile: u32, quad: u32, s: u32) {
  let pixels = min(OCTETS * 8u, sizes.pixels - tile * OCTETS * 8u);
  var mean = vec4f();
  for (var o = 0u; o < OCTETS; o++) {
    for (var p = 0u; p < 8u; p++) { mean += f32(o * 8u + p < pixels) * sums[o][p][s]; }
  }
  mean /= f32(pixels);
  var m2 = vec4f();
  for (var o = 0u; o < OCTETS; o++) {
    for (var p = 0u; p < 8u; p++) { let d = f32(o * 8u + p < pixels) * (sums[o][p][s] - mean); m2 += d * d; }
  }
  let tiles = (sizes.pixels + OCTETS * 8u - 1u) / (OCTETS * 8u);
  let at = counted_statistics_at(sample, tiles, tile, sizes.out_quads, quad);
  statistics[at] = mean;
  statistics[at + 1u] = m2;
  statistics[at + 2u] = vec4f(f32(pixels));
}
