// The slice of the inner dimension that a workgroup of conv_gemm sums where several share it: so many steps, chunks and the
// skip convolution's in one order. What follows a convolution is left to the kernel that adds slices up.

struct Sizes {
  pixels: u32,
  out_quads: u32,
  first_sample: u32,
  column_tiles: u32,
  slice_steps: u32,
  slice_quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;

struct Slice { sample: u32, column: u32, first: u32, end: u32, to: u32 }

// linked:

// fills: what of the product a workgroup computes
fn slice_of(workgroup: vec3u, steps: u32) -> Slice {
  let slice = workgroup.y / sizes.column_tiles;
  let first = slice * sizes.slice_steps;
  let to = slice * sizes.slice_quads - sizes.first_sample * sizes.pixels * sizes.out_quads;
  let sample = sizes.first_sample + workgroup.z;
  return Slice(sample, workgroup.y % sizes.column_tiles, first, min(first + sizes.slice_steps, steps), to);
}

// fills: what becomes of the sum of a quad
fn finish(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}
