// Convolution in 1 to 3 dimensions as an implicit matrix product: rows are output pixels, columns output
// channels, and the inner dimension runs over [chunk of 16 input channels][tap], then over the chunks of a
// 1x1 skip convolution. Activations are channels-last, four channels a vec4f: [sample][pixel][channel / 4].
// A workgroup of ROWS x COLUMNS threads computes TILE_M pixels of one sample by TILE_N channels; a thread computes every
// ROWS-th pixel and every COLUMNS-th channel quad of the tile, so that neighbours touch neighbouring addresses.
// No tile holds pixels of two samples: what a sample gets never depends on the batch.
// Small tiles stage DEPTH steps between two barriers: few workgroups wait for memory as often as they stage, and the
// order of the sum stays. Where the taps of each pixel fall is computed once. Where even so too few workgroups run, each
// sums a slice of the inner dimension, and sum_slices adds the slices up.

const TILE_M = 64u;      // output pixels a workgroup computes: 16, 32 or 64
const TILE_N = 64u;      // output channels a workgroup computes: 8, 32 or 64
const COLUMNS = 8u;      // threads side by side: 8, of 8 channels 2
const ROWS = 64u / COLUMNS;             // threads below each other
const PIXELS = TILE_M / ROWS;           // pixels a thread computes
const QUADS = TILE_N / 4u / COLUMNS;    // channel quads a thread computes
const LOADS = TILE_M / 16u;   // quads of the pixel tile a thread loads for a step
const DEPTH = 1u;             // steps that are staged at once
const ROW = DEPTH * 4u + 1u;  // vec4f a pixel takes in the tile: 4 quads of each step and one against bank conflicts
const TABLED = 9u;            // taps whose places are in the table; of more they are computed each time

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  out_quads: u32,       // quads of output channels
  in_depth: u32,        // size of the input, as the taps see it
  in_height: u32,
  in_width: u32,
  scale_d: u32,         // nearest upsampling: virtual input pixels for a stored one
  scale_h: u32,
  scale_w: u32,
  kernel_h: u32,
  kernel_w: u32,
  stride_d: u32,
  stride_h: u32,
  stride_w: u32,
  pad_d: u32,
  pad_h: u32,
  pad_w: u32,
  taps: u32,
  chunk_quads: u32,     // quads of a chunk: 4, as a number that drivers do not know, lest they unroll
  chunks: u32,          // chunks of 16 input channels
  skip_chunks: u32,     // chunks of the skip convolution's input
  quads0: u32,          // channel quads of the sources that are read as one
  quads1: u32,
  skip_quads0: u32,
  skip_quads1: u32,
  bias_at: u32,         // places in the weights, in vec4f
  gamma_at: u32,
  beta_at: u32,
  norm_width: u32,      // channels of a norm group, and pixels of a channel
  norm_pixels: u32,
  tiles0: u32,          // tiles of the sources' statistics, and their pixels
  tile_pixels0: u32,
  tiles1: u32,
  tile_pixels1: u32,
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
  first_sample: u32,    // of slices: the first sample, tiles of channels, steps of a slice, and quads of one in the result
  column_tiles: u32,
  slice_steps: u32,
  slice_quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;   // [column tile][step][16][TILE_N / 4], then vectors
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

alias Staged = vec4f;    // what is multiplied
var<workgroup> tile_a: array<Staged, TILE_M * ROW>;
var<workgroup> tile_b: array<Staged, DEPTH * TILE_N * 4u>;
var<workgroup> places: array<i32, TABLED * TILE_M>;   // [tap][pixel]: the input pixel, or -1
var<workgroup> group_norm: array<vec2f, 32>;   // mean and reciprocal deviation of each norm group
var<workgroup> affine: array<vec4f, DEPTH * 8u>;   // of the chunks that are staged: scale of 4 quads, then their shift

// what a workgroup computes: a tile of channels of a sample, by steps of the inner dimension; `to` is where its result begins
struct Slice { sample: u32, column: u32, first: u32, end: u32, to: u32 }

// hook: what of the product a workgroup computes: with all steps, or with a slice of them
fn slice_of(workgroup: vec3u, steps: u32) -> Slice {
  return Slice(workgroup.z, workgroup.y, 0u, steps, 0u);
}

// hook: a quad of the product's weights
fn weight_product(at: u32) -> vec4f {
  return weights[at];
}

// hook: a quad of the vectors behind them
fn weight_vector(at: u32) -> vec4f {
  return weights[at];
}

// hook: writes a quad of the result
fn store_result(at: u32, quad: vec4f) {
  result[at] = quad;
}

// hook: what has to be known of a sample before its tiles are loaded
fn prepare_sample(sample: u32, lane: u32) {
}

// hook: what has to be known of a chunk of 16 channels; `at` is its place in what is known of chunks
fn prepare_chunk(sample: u32, chunk: u32, lane: u32, at: u32) {
}

// hook: one quad of the main input
fn load_input(sample: u32, pixel: u32, quad: u32) -> vec4f {
  return vec4f();
}

// hook: one quad of the skip convolution's input
fn load_skip(pixel: u32, quad: u32) -> vec4f {
  return vec4f();
}

// hook: what is done to a loaded quad; `slot` is its place in what is known of chunks
fn prologue(loaded: vec4f, slot: u32) -> vec4f {
  return loaded;
}

// hook: adds the products of the quads of input channels that are staged
fn multiply(slots: u32, row: u32, column: u32, sums: ptr<function, array<vec4f, PIXELS * QUADS>>) {
  for (var slot = 0u; slot < slots; slot++) {
    var a = array<vec4f, PIXELS>();
    for (var i = 0u; i < PIXELS; i++) { a[i] = tile_a[(i * ROWS + row) * ROW + slot]; }
    for (var j = 0u; j < QUADS; j++) {
      let at_b = slot * TILE_N + j * COLUMNS + column;
      let b0 = tile_b[at_b];
      let b1 = tile_b[at_b + TILE_N / 4u];
      let b2 = tile_b[at_b + TILE_N / 2u];
      let b3 = tile_b[at_b + TILE_N / 4u * 3u];
      for (var i = 0u; i < PIXELS; i++) {
        let sum = fma(vec4f(a[i].y), b1, fma(vec4f(a[i].x), b0, sums[j * PIXELS + i]));
        sums[j * PIXELS + i] = fma(vec4f(a[i].w), b3, fma(vec4f(a[i].z), b2, sum));
      }
    }
  }
}

// hook: what is done to a finished quad; `at` is its place in the result
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

// hook: what becomes of the sum of a quad
fn finish(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return epilogue(sum + weight_vector(sizes.bias_at + quad), sample, quad, at);
}

// hook: the statistics of the finished tile
fn finish_tile(sample: u32, tile: u32, quad: u32, row: u32, column: u32, values: array<vec4f, PIXELS>) {
}

// hook: input coordinate of an output coordinate and a tap, or -1 outside
fn locate(position: u32, tap: u32, stride: u32, pad: u32, scale: u32, extent: u32) -> i32 {
  let at = i32(position * stride + tap) - i32(pad);
  return select(-1, at / i32(scale), at >= 0 && at < i32(extent * scale));
}

// the input pixel of an output pixel and a tap, or -1 outside
fn input_pixel(pixel: u32, tap: u32) -> i32 {
  let x = pixel % sizes.width;
  let y = pixel / sizes.width % sizes.height;
  let z = pixel / sizes.width / sizes.height;
  let at_x = locate(x, tap % sizes.kernel_w, sizes.stride_w, sizes.pad_w, sizes.scale_w, sizes.in_width);
  let at_y = locate(y, tap / sizes.kernel_w % sizes.kernel_h, sizes.stride_h, sizes.pad_h, sizes.scale_h, sizes.in_height);
  let at_z = locate(z, tap / sizes.kernel_w / sizes.kernel_h, sizes.stride_d, sizes.pad_d, sizes.scale_d, sizes.in_depth);
  let valid = pixel < sizes.pixels && at_x >= 0 && at_y >= 0 && at_z >= 0;
  return select(-1, (at_z * i32(sizes.in_height) + at_y) * i32(sizes.in_width) + at_x, valid);
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let main_steps = sizes.chunks * sizes.taps;
  let steps = main_steps + sizes.skip_chunks;
  let slice = slice_of(workgroup, steps);
  let sample = slice.sample;
  let row = lane / COLUMNS;
  let column = lane % COLUMNS;
  prepare_sample(sample, lane);
  let tabled = sizes.taps <= TABLED;
  if (tabled) {
    for (var i = lane; i < sizes.taps * TILE_M; i += 64u) { places[i] = input_pixel(workgroup.x * TILE_M + i % TILE_M, i / TILE_M); }
  }

  // the pixel whose quads this thread loads
  let load_row = lane * LOADS / 4u;
  let load_quad = lane * LOADS % 4u;
  let pixel = workgroup.x * TILE_M + load_row;
  let in_pixels = sizes.in_depth * sizes.in_height * sizes.in_width;

  var sums: array<vec4f, PIXELS * QUADS>;
  var base = (slice.column * steps + slice.first) * TILE_N * 4u;
  var chunk = slice.first / sizes.taps;
  var tap = slice.first % sizes.taps;
  for (var first = slice.first; first < slice.end; first += DEPTH) {
    let staged = min(DEPTH, slice.end - first);
    // the chunks that begin among these steps
    var begun = chunk;
    var at_tap = tap;
    for (var d = 0u; d < staged && first + d < main_steps; d++) {
      if (at_tap == 0u || first + d == slice.first) { prepare_chunk(sample, begun, lane, begun % DEPTH * 8u); }
      at_tap++;
      if (at_tap == sizes.taps) {
        at_tap = 0u;
        begun++;
      }
    }
    workgroupBarrier();
    for (var d = 0u; d < staged; d++) {
      let to = load_row * ROW + d * 4u;
      if (first + d < main_steps) {
        var place = 0;
        if (tabled) { place = places[tap * TILE_M + load_row]; } else { place = input_pixel(pixel, tap); }
        let at = sample * in_pixels + u32(place);
        for (var slot = load_quad; slot < load_quad + LOADS; slot++) {
          let quad = chunk * 4u + slot;
          var value = vec4f();
          if (place >= 0 && quad < sizes.quads0 + sizes.quads1) { value = prologue(load_input(sample, at, quad), chunk % DEPTH * 8u + slot); }
          tile_a[to + slot] = Staged(value);
        }
        tap++;
        if (tap == sizes.taps) {
          tap = 0u;
          chunk++;
        }
      } else {
        for (var slot = load_quad; slot < load_quad + LOADS; slot++) {
          let quad = (first + d - main_steps) * 4u + slot;
          var value = vec4f();
          if (pixel < sizes.pixels && quad < sizes.skip_quads0 + sizes.skip_quads1) { value = load_skip(sample * sizes.pixels + pixel, quad); }
          tile_a[to + slot] = Staged(value);
        }
      }
    }
    for (var i = lane; i < staged * TILE_N * 4u; i += 64u) { tile_b[i] = Staged(weight_product(base + i)); }
    base += staged * TILE_N * 4u;
    workgroupBarrier();

    multiply(staged * sizes.chunk_quads, row, column, &sums);
  }

  for (var j = 0u; j < QUADS; j++) {
    let quad = slice.column * (TILE_N / 4u) + j * COLUMNS + column;
    var values = array<vec4f, PIXELS>();
    for (var i = 0u; i < PIXELS; i++) {
      let at_pixel = workgroup.x * TILE_M + i * ROWS + row;
      if (at_pixel < sizes.pixels && quad < sizes.out_quads) {
        let at = (sample * sizes.pixels + at_pixel) * sizes.out_quads + quad;
        values[i] = finish(sums[j * PIXELS + i], sample, quad, at);
        store_result(slice.to + at, values[i]);
      }
    }
    finish_tile(sample, workgroup.x, quad, row, column, values);
  }
}
