// The slice of the inner dimension that a workgroup of conv_matrix sums where several share it: so many patches, or so many
// chunks of the skip convolution, which have fewer taps. What follows a convolution is left to the kernel that adds slices up.

struct Sizes {
  pixels: u32,
  out_quads: u32,
  first_sample: u32,
  column_tiles: u32,
  slice_quads: u32,
  main_slices: u32,
  main_stages: u32,
  skip_stages: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

struct Slice { sample: u32, column: u32, first: u32, end: u32, to: u32 }

// linked:

// fills: what of the product a workgroup computes
fn slice_of(workgroup: vec3u, stages: u32, all: u32) -> Slice {
  let slice = workgroup.y / sizes.column_tiles;
  var first = slice * sizes.main_stages;
  var end = min(first + sizes.main_stages, stages);
  if (slice >= sizes.main_slices) {
    first = stages + (slice - sizes.main_slices) * sizes.skip_stages;
    end = min(first + sizes.skip_stages, all);
  }
  let to = slice * sizes.slice_quads - sizes.first_sample * sizes.pixels * sizes.out_quads;
  return Slice(sizes.first_sample + workgroup.z, workgroup.y % sizes.column_tiles, first, end, to);
}

// fills: what becomes of the sum of a quad
fn finish(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

// fills: writes a quad of the result
fn store_result(at: u32, quad: vec4f) {
  result[at] = quad;
}
