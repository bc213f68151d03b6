// Where the statistics of a quad of channels in a tile of pixels begin: [sample][tile][quad] of a vector of means, one of
// sums of squared deviations (M2) and, where tiles are counted, one of the tile's pixels. Nothing else spells this
// layout: kernels and fragments declare the function they need behind a comment `inline:`, and the linker writes the
// expression out where it is called. How many vectors a quad takes is also in `schedule/statistics-layout.ts`.

// linked:

// inline: mean, M2
fn statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return ((sample * tiles + tile) * quads + quad) * 2u;
}

// inline: mean, M2, pixels
fn counted_statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return ((sample * tiles + tile) * quads + quad) * 3u;
}

// inline: mean, M2 of all pixels, as one tile
fn merged_statistics_at(sample: u32, quads: u32, quad: u32) -> u32 {
  return (sample * quads + quad) * 2u;
}
