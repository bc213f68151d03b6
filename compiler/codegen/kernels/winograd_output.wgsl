// The output transform of Winograd's F(2x2, 3x3): the 16 products m of a tile become its 2x2 pixels AT m A, with the
// convolution's epilogue. A workgroup of 8 x 8 threads computes 16 tiles of 8 quads. Source: arXiv:1509.09308.
// The products are [sample of the part][plane of 16][tile][quad].

struct Sizes {
  first_sample: u32,    // of the part of the batch that is computed at once
  pixels: u32,          // pixels of a sample
  tiles: u32,           // tiles of a sample, and of a row
  tiles_x: u32,
  out_quads: u32,
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;   // the bias
@group(0) @binding(2) var<storage, read> products: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

var<workgroup> row_sums: array<vec4f, 64>;

// hook: what is done to a finished quad; `at` is its place in the result
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

// hook: the statistics of the finished tile of pixels
fn finish_tile(sample: u32, tile: u32, quad: u32, lane: u32, values: array<vec4f, 8>) {
}

// AT of one row or column of four
fn transform(m: array<vec4f, 4>) -> array<vec4f, 2> {
  return array<vec4f, 2>(m[0] + m[1] + m[2], m[1] - m[2] - m[3]);
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = sizes.first_sample + workgroup.z;
  let quad = workgroup.y * 8u + lane % 8u;
  let plane = sizes.tiles * sizes.out_quads;
  var values = array<vec4f, 8>();
  for (var half = 0u; half < 2u; half++) {
    let tile = workgroup.x * 16u + half * 8u + lane / 8u;
    if (tile < sizes.tiles && quad < sizes.out_quads) {
      let at = (workgroup.z * 16u * sizes.tiles + tile) * sizes.out_quads + quad;
      var left = array<vec4f, 4>();
      var right = array<vec4f, 4>();
      for (var i = 0u; i < 4u; i++) {
        let from_row = at + i * 4u * plane;
        let row = transform(array<vec4f, 4>(products[from_row], products[from_row + plane], products[from_row + 2u * plane], products[from_row + 3u * plane]));
        left[i] = row[0];
        right[i] = row[1];
      }
      let l = transform(left);
      let r = transform(right);
      let pixel = sample * sizes.pixels + (tile / sizes.tiles_x * sizes.tiles_x * 2u + tile % sizes.tiles_x) * 2u;
      let bias = weights[quad];
      let to = pixel * sizes.out_quads + quad;
      let below = to + sizes.tiles_x * 2u * sizes.out_quads;
      values[half * 4u] = epilogue(l[0] + bias, sample, quad, to);
      values[half * 4u + 1u] = epilogue(r[0] + bias, sample, quad, to + sizes.out_quads);
      values[half * 4u + 2u] = epilogue(l[1] + bias, sample, quad, below);
      values[half * 4u + 3u] = epilogue(r[1] + bias, sample, quad, below + sizes.out_quads);
      result[to] = values[half * 4u];
      result[to + sizes.out_quads] = values[half * 4u + 1u];
      result[below] = values[half * 4u + 2u];
      result[below + sizes.out_quads] = values[half * 4u + 3u];
    }
  }
  finish_tile(sample, workgroup.x, quad, lane, values);
}
