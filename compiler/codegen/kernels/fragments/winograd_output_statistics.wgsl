// The statistics of the tiles of winograd_output_subgroup: mean, then squared deviations from it, over the pixels of
// eight tiles. Each lane sums its own, then those of all lanes are summed.

const M = 4u;

struct Sizes {
  tiles: u32,
  out_quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;

fn sum_lanes(value: vec4f) -> vec4f {
  return value;
}

// inline: mean, M2, pixels
fn counted_statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// linked:

// fills: the statistics of the finished tiles; `inside` says which pixels of a lane's tile are pixels of the image
fn finish_tile(sample: u32, tile: u32, quad: u32, lane: u32, values: array<array<vec4f, M>, M>, inside: array<array<bool, M>, M>) {
  var sum = vec4f();
  var count = 0.0;
  for (var i = 0u; i < M; i++) {
    for (var j = 0u; j < M; j++) { let w = f32(inside[i][j]); sum += w * values[i][j]; count += w; }
  }
  let pixels = sum_lanes(vec4f(count));
  let mean = sum_lanes(sum) / pixels;
  var squares = vec4f();
  for (var i = 0u; i < M; i++) {
    for (var j = 0u; j < M; j++) { let d = f32(inside[i][j]) * (values[i][j] - mean); squares += d * d; }
  }
  let m2 = sum_lanes(squares);
  if (lane == 0u) {
    let at = counted_statistics_at(sample, (sizes.tiles + 7u) / 8u, tile, sizes.out_quads, quad);
    statistics[at] = mean;
    statistics[at + 1u] = m2;
    statistics[at + 2u] = pixels;
  }
}
