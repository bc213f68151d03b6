// The group_norm of two sources that are read as one, on GPUs, for up to 32 norm groups, as norm_groups.wgsl does it of
// one: a group may have channels of both.

const THREADS = 64u;      // of the workgroup
const SHARES = 64;        // the same as the length of an array
const SHARERS = 2u;       // threads of a group
const NORM_GROUPS = 32u;
const EPSILON = 0.00001;

struct Sizes {
  quads0: u32,
  quads1: u32,
  norm_width: u32,
  norm_pixels: u32,
  tiles0: u32,
  tile_pixels0: u32,
  tiles1: u32,
  tile_pixels1: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> statistics0: array<vec4f>;
@group(0) @binding(2) var<storage, read> statistics1: array<vec4f>;

var<workgroup> group_norm: array<vec2f, 32>;

// inline: mean, M2
fn statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// linked:

// one channel of source0 in one tile: mean, M2 and pixels
fn statistics_of0(sample: u32, channel: u32, tile: u32) -> vec3f {
  let at = statistics_at(sample, sizes.tiles0, tile, sizes.quads0, channel / 4u);
  let pixels = min(sizes.tile_pixels0, sizes.norm_pixels - tile * sizes.tile_pixels0);
  return vec3f(statistics0[at][channel % 4u], statistics0[at + 1u][channel % 4u], f32(pixels));
}
// one channel of source1 in one tile: mean, M2 and pixels
fn statistics_of1(sample: u32, channel: u32, tile: u32) -> vec3f {
  let at = statistics_at(sample, sizes.tiles1, tile, sizes.quads1, channel / 4u);
  let pixels = min(sizes.tile_pixels1, sizes.norm_pixels - tile * sizes.tile_pixels1);
  return vec3f(statistics1[at][channel % 4u], statistics1[at + 1u][channel % 4u], f32(pixels));
}

var<workgroup> shares: array<f32, SHARES>;

// the sum over the threads that share a norm group
fn sum_of_group(share: f32, lane: u32) -> f32 {
  workgroupBarrier();
  shares[lane] = share;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = lane % 32u; i < THREADS; i += 32u) { sum += shares[i]; }
  return sum;
}

// fills: what has to be known of a sample before its tiles are loaded
fn prepare_sample(sample: u32, lane: u32) {
  // group_norm
  let first = lane % 32u * sizes.norm_width;
  let end = select(first, first + sizes.norm_width, lane % 32u < NORM_GROUPS);
  let elements = f32(sizes.norm_width * sizes.norm_pixels);
  var sum = 0.0;
  for (var c = first + lane / 32u; c < end; c += SHARERS) {
    if (c < sizes.quads0 * 4u) {
      for (var tile = 0u; tile < sizes.tiles0; tile++) {
        let s = statistics_of0(sample, c, tile);
        sum += s.z * s.x;
      }
    }
    if (c >= sizes.quads0 * 4u) {
      for (var tile = 0u; tile < sizes.tiles1; tile++) {
        let s = statistics_of1(sample, c - sizes.quads0 * 4u, tile);
        sum += s.z * s.x;
      }
    }
  }
  let mean = sum_of_group(sum, lane) / elements;
  var squares = 0.0;
  for (var c = first + lane / 32u; c < end; c += SHARERS) {
    if (c < sizes.quads0 * 4u) {
      for (var tile = 0u; tile < sizes.tiles0; tile++) {
        let s = statistics_of0(sample, c, tile);
        squares += s.y + s.z * (s.x - mean) * (s.x - mean);
      }
    }
    if (c >= sizes.quads0 * 4u) {
      for (var tile = 0u; tile < sizes.tiles1; tile++) {
        let s = statistics_of1(sample, c - sizes.quads0 * 4u, tile);
        squares += s.y + s.z * (s.x - mean) * (s.x - mean);
      }
    }
  }
  let all = sum_of_group(squares, lane);
  if (lane < NORM_GROUPS) { group_norm[lane] = vec2f(mean, inverseSqrt(all / elements + EPSILON)); }
  workgroupBarrier();
}
