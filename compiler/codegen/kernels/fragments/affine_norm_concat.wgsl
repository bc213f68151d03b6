// The norm of affine_subgroup over two sources that are read as one, as affine_norm.wgsl does it of one.

const TEXTURE_WIDTH = 2048u;

struct Sizes {
  quads0: u32,
  quads1: u32,
  tiles0: u32,
  tiles1: u32,
  gamma_at: u32,
  beta_at: u32,
}

struct Moments { count: f32, mean: f32, m2: f32 }

struct Affine { scale: vec4f, shift: vec4f }

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var product: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read> statistics0: array<vec4f>;
@group(0) @binding(3) var<storage, read> statistics1: array<vec4f>;

fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// inline: mean, M2, pixels
fn counted_statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// linked:

fn moments_of_second(sample: u32, channel: u32, tile: u32) -> Moments {
  let at = counted_statistics_at(sample, sizes.tiles1, tile, sizes.quads1, channel / 4u);
  let mean = statistics1[at][channel % 4u];
  let m2 = statistics1[at + 1u][channel % 4u];
  return Moments(statistics1[at + 2u].x, mean, m2);
}

// fills: the statistics of one channel in one tile
fn moments_of(sample: u32, channel: u32, tile: u32) -> Moments {
  if (channel >= sizes.quads0 * 4u) { return moments_of_second(sample, channel - sizes.quads0 * 4u, tile); }
  let at = counted_statistics_at(sample, sizes.tiles0, tile, sizes.quads0, channel / 4u);
  let mean = statistics0[at][channel % 4u];
  let m2 = statistics0[at + 1u][channel % 4u];
  return Moments(statistics0[at + 2u].x, mean, m2);
}

// fills: tiles of the statistics that a channel has
fn tiles_of(channel: u32) -> u32 {
  return select(sizes.tiles0, sizes.tiles1, channel >= sizes.quads0 * 4u);
}

// fills: the norm's scale and shift of a quad, from the mean and the reciprocal deviation of its channels' groups
fn norm(quad: u32, mean: vec4f, share: vec4f) -> Affine {
  let scale = textureLoad(product, texel(sizes.gamma_at + quad)) * share; // group_norm
  return Affine(scale, textureLoad(product, texel(sizes.beta_at + quad)) - mean * scale);
}
