// The statistics of a source's channels, for norm_quads.wgsl.

struct Sizes {
  quads0: u32,
  norm_pixels: u32,
  tiles0: u32,
  tile_pixels0: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> statistics0: array<vec4f>;

// inline: mean, M2
fn statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// linked:

// one channel in one tile: mean, M2 and pixels
fn statistics_of(sample: u32, channel: u32, tile: u32) -> vec3f {
  let at = statistics_at(sample, sizes.tiles0, tile, sizes.quads0, channel / 4u);
  let pixels = min(sizes.tile_pixels0, sizes.norm_pixels - tile * sizes.tile_pixels0);
  return vec3f(statistics0[at][channel % 4u], statistics0[at + 1u][channel % 4u], f32(pixels));
}

fn tiles_of(channel: u32) -> u32 {
  return sizes.tiles0;
}
