// Statistics of a written activation for the norm that reads it: mean and sum of squared deviations of each channel
// over each tile of pixels. For subgroups of 8 lanes: a workgroup is one tile of one quad, a lane every eighth pixel.

enable subgroups;
diagnostic(off, subgroup_uniformity);

const TEXTURE_WIDTH = 2048u;

struct Sizes {
  pixels: u32,          // pixels of a sample, and of a tile
  tile_pixels: u32,
  tiles: u32,
  quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var source0: texture_storage_2d<rgba32float, read>;   // [sample][quad][pixel]
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4f>;    // [sample][tile][quad] of mean, M2, pixels

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad of the activation
fn load_source0(at: u32) -> vec4f {
  return textureLoad(source0, texel(at));
}

// inline: mean, M2, pixels
fn counted_statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// the sum over the lanes
fn sum_lanes(value: vec4f) -> vec4f {
  var sum = value;
  sum += subgroupShuffleXor(sum, 1u);
  sum += subgroupShuffleXor(sum, 2u);
  sum += subgroupShuffleXor(sum, 4u);
  return sum;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let quad = workgroup.y;
  let begin = workgroup.x * sizes.tile_pixels;
  let pixels = min(sizes.tile_pixels, sizes.pixels - begin);
  let first = (sample * sizes.quads + quad) * sizes.pixels + begin;
  var sum = vec4f();
  for (var p = lane; p < pixels; p += 8u) { sum += load_source0(first + p); }
  let mean = sum_lanes(sum) / f32(pixels);
  var squares = vec4f();
  for (var p = lane; p < pixels; p += 8u) {
    let deviation = load_source0(first + p) - mean;
    squares += deviation * deviation;
  }
  let m2 = sum_lanes(squares);
  if (lane == 0u) {
    let at = counted_statistics_at(sample, sizes.tiles, workgroup.x, sizes.quads, quad);
    statistics[at] = mean;
    statistics[at + 1u] = m2;
    statistics[at + 2u] = vec4f(f32(pixels));
  }
}
