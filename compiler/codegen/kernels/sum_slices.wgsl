// The sum of the slices in which the inner dimension of a convolution was computed, in their order, with what follows a
// convolution: bias, epilogue, statistics. A workgroup of ROWS x COLUMNS threads has TILE_M pixels of COLUMNS channel quads.

const TILE_M = 64u;             // pixels: 16 or 64
const COLUMNS = 2u;             // threads side by side, a channel quad each
const ROWS = 64u / COLUMNS;     // threads below each other
const PIXELS = TILE_M / ROWS;   // pixels of a thread

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  out_quads: u32,       // quads of output channels
  first_sample: u32,    // the first sample, and quads of a slice
  slice_quads: u32,
  slices: u32,
  bias_at: u32,         // place in the weights, in vec4f
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;   // those of the product, then vectors
@group(0) @binding(2) var<storage, read> parts: array<vec4f>;     // [slice][sample][pixel][quad]
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

// hook: a quad of the vectors
fn weight_vector(at: u32) -> vec4f {
  return weights[at];
}

// hook: writes a quad of the result
fn store_result(at: u32, quad: vec4f) {
  result[at] = quad;
}

// hook: what is done to a finished quad; `at` is its place in the result
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

// hook: the statistics of the finished tile
fn finish_tile(sample: u32, tile: u32, quad: u32, row: u32, column: u32, values: array<vec4f, PIXELS>) {
}

// the sum of all slices of a quad: four are loaded together, and those behind the last add nothing
fn sum_of(at: u32) -> vec4f {
  let last = sizes.slices - 1u;
  var sum = vec4f();
  for (var slice = 0u; slice <= last; slice += 4u) {
    let part0 = parts[slice * sizes.slice_quads + at];
    let part1 = parts[min(slice + 1u, last) * sizes.slice_quads + at];
    let part2 = parts[min(slice + 2u, last) * sizes.slice_quads + at];
    let part3 = parts[min(slice + 3u, last) * sizes.slice_quads + at];
    sum += part0;
    if (slice + 1u <= last) { sum += part1; }
    if (slice + 2u <= last) { sum += part2; }
    if (slice + 3u <= last) { sum += part3; }
  }
  return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = sizes.first_sample + workgroup.z;
  let row = lane / COLUMNS;
  let column = lane % COLUMNS;
  let quad = workgroup.y * COLUMNS + column;
  var values = array<vec4f, PIXELS>();
  for (var i = 0u; i < PIXELS; i++) {
    let pixel = workgroup.x * TILE_M + i * ROWS + row;
    if (pixel < sizes.pixels && quad < sizes.out_quads) {
      let part = (workgroup.z * sizes.pixels + pixel) * sizes.out_quads + quad;
      let at = (sample * sizes.pixels + pixel) * sizes.out_quads + quad;
      values[i] = epilogue(sum_of(part) + weight_vector(sizes.bias_at + quad), sample, quad, at);
      store_result(at, values[i]);
    }
  }
  finish_tile(sample, workgroup.x, quad, row, column, values);
}
