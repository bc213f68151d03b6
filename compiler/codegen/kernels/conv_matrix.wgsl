// Convolution in 1 to 3 dimensions as an implicit matrix product on matrix units: float16 operands, float32 sums.
// Rows are output pixels, columns output channels, and the inner dimension runs over [chunk of 32 input channels][tap],
// then over the chunks of a 1x1 skip convolution. Activations are channels-last, four channels a vec2u of float16.
// A workgroup of four subgroups computes a tile of pixels of one sample by TILE_N channels. For each chunk it stages a
// patch: the pixels that TAPS taps read, normalised once. A row of the product is a row of the patch, shifted by the tap;
// rows that only lie between image rows are computed and dropped. A patch is loaded while the one before it is computed
// with, and normalised a few rows a tap, so that matrix units need not wait for it. Weights are staged DEPTH taps at once,
// and as many ahead: a round between two barriers takes as long as memory, however little it computes.
// A subgroup computes BLOCKS blocks of 16 rows by WIDE columns of 16 channels, each of one or several matrices. These are
// opaque, so results leave through `scratch`; loops over them are written out, for an array of matrices that is indexed
// by a variable is kept in memory. What matrices load from stands in 16-byte vectors, so that it is known to be aligned.
// Where too few workgroups run, each sums a slice of the inner dimension, and sum_slices adds the slices up.
enable chromium_experimental_subgroup_matrix;
enable f16;
enable subgroups;

const MATRIX_M = 16u;         // what matrix units multiply: M x K elements by K x N
const MATRIX_N = 16u;
const MATRIX_K = 16u;
const LANES = 32u;            // threads of a subgroup
const VECTORS = 1u;           // vectors that hold eight channels: 1 of float16, 2 of float32
const TILE_N = 64u;           // output channels a workgroup computes: 32, 64 or 128
const WIDE = 2u;              // columns of 16 channels a subgroup computes: 2 or 4
const BLOCKS = 4u;            // blocks of 16 rows a subgroup computes
const TAPS = 9u;              // taps a patch serves: all, or one whose rows are gathered for it
const PATCH = 192u;           // rows of a patch, at the most
const DEPTH = 2u;             // taps of a round
const THREADS = 4u * LANES;
const ACROSS = TILE_N / 16u / WIDE;    // subgroups side by side
const DOWN = 4u / ACROSS;              // subgroups below each other
const ROWS = 16u / MATRIX_M * BLOCKS;  // matrices of a subgroup
const COLUMNS = 16u / MATRIX_N * WIDE;
const SLOTS = 4u * VECTORS;            // vectors of a row of the patch: a thread stages one of every SPREAD-th row
const SPREAD = THREADS / SLOTS;
const LOADS = PATCH / SPREAD;
const OCTETS = TILE_N * 4u / THREADS;  // times eight weights that a thread stages for a tap
const ROW = 4u * VECTORS + 1u;         // vectors of a row of the patch: 32 channels and one against bank conflicts
const ROW_B = TILE_N / 8u * VECTORS + 1u;
const STEP_B = 32u * ROW_B;

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  out_quads: u32,       // quads of output channels
  grid_w: u32,          // output as tiles see it: rows of pixels, or all of them as one row
  grid_h: u32,
  tile_w: u32,          // output pixels of a tile, tiles of a row, and tiles of a sample
  tile_h: u32,
  tiles_x: u32,
  tiles: u32,
  pitch: u32,           // rows of the patch from one row of pixels to the next
  run: u32,             // blocks of 16 rows that follow each other before the next row of pixels begins
  patch_h: u32,         // rows of pixels of a patch, and its rows in all
  patch_rows: u32,
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
  chunks: u32,          // chunks of 32 input channels
  skip_chunks: u32,     // chunks of the skip convolution's input
  quads0: u32,          // channel quads of the sources that are read as one
  quads1: u32,
  skip_quads0: u32,
  skip_quads1: u32,
  bias_at: u32,         // places in the weights, in 16 bytes
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
  first_sample: u32,    // of slices: the first sample, tiles of channels, and quads of a slice in the result
  column_tiles: u32,
  slice_quads: u32,
  main_slices: u32,     // slices of chunks, those of the skip convolution behind them, and stages of either
  main_stages: u32,
  skip_stages: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4u>;   // [column tile][step][32][TILE_N] halves, then vectors
@group(0) @binding(2) var<storage, read_write> result: array<vec2u>;

var<workgroup> staged: array<vec4u, PATCH * ROW>;
var<workgroup> columns: array<vec4u, 2u * DEPTH * STEP_B>;
var<workgroup> scratch: array<f32, 1280>;        // a block of 16 x 16 for each subgroup, rows of 20
var<workgroup> group_norm: array<vec2f, 32>;     // mean and reciprocal deviation of each norm group

alias Component = f16;    // what matrices are made of, and four of it
alias Quad = vec4h;
alias Left = subgroup_matrix_left<Component, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Component, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

// matrix: rows of the patch by input channels
fn load_left(at: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&staged, at, ROW);
}

// matrix: input channels by output channels
fn load_right(at: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&columns, at, ROW_B);
}

// matrix: sums + left right
fn multiply(left: Left, right: Right, sums: Sums) -> Sums {
  return subgroupMatrixMultiplyAccumulate(left, right, sums);
}

// matrix: a matrix of sums for all threads to read
fn store_sums(at: u32, sums: Sums) {
  subgroupMatrixStore<row_major>(&scratch, at, sums, 20u);
}

// matrix: which of the four subgroups this is
fn subgroup_of(id: u32, lane: u32) -> u32 {
  return id;
}

fn weight_vector(at: u32) -> vec4f {
  return bitcast<vec4f>(weights[at]);
}

// what a workgroup computes: a tile of channels of a sample, by stages of the inner dimension; `to` is where its result begins
struct Slice { sample: u32, column: u32, first: u32, end: u32, to: u32 }

// hook: what of the product a workgroup computes: with all stages, the skip convolution's behind the others, or with a slice
fn slice_of(workgroup: vec3u, stages: u32, all: u32) -> Slice {
  return Slice(workgroup.z, workgroup.y, 0u, all, 0u);
}

// hook: what has to be known of a sample before its tiles are loaded
fn prepare_sample(sample: u32, lane: u32) {
}

// hook: what has to be known of the channels of a quad, one of the two of a vector
fn prepare_quad(sample: u32, quad: u32, part: u32) {
}

// hook: one quad of the main input, as it is stored
fn load_input(sample: u32, pixel: u32, quad: u32) -> vec2u {
  return vec2u();
}

// hook: one quad of the skip convolution's input, as it is stored
fn load_skip(pixel: u32, quad: u32) -> vec2u {
  return vec2u();
}

// hook: what is done to a loaded quad
fn prologue(loaded: vec2u, part: u32) -> Quad {
  return bitcast<Quad>(loaded);
}

// hook: a vector of the patch as it is staged; `held` is what was loaded for it, two quads
fn staged_vector(held: vec4u) -> vec4u {
  return vec4u(bitcast<vec2u>(prologue(held.xy, 0u)), bitcast<vec2u>(prologue(held.zw, 1u)));
}

// hook: the same where nothing is done to the quads
fn plain_vector(held: vec4u) -> vec4u {
  return held;
}

// hook: stages eight weights
fn stage_weights(at: u32, octet: vec4u) {
  columns[at] = octet;
}

// hook: what is done to a finished quad; `at` is its place in the result
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

// hook: what becomes of the sum of a quad
fn finish(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return epilogue(sum + weight_vector(sizes.bias_at + quad), sample, quad, at);
}

// hook: writes a quad of the result
fn store_result(at: u32, quad: vec4f) {
  result[at] = pack_quad(quad);
}

// hook: takes a finished quad into the statistics of the tile
fn collect(value: vec4f) {
}

// hook: the statistics of a finished block, the `block`-th of its columns that this thread has part in
fn finish_block(block: u32) {
}

// hook: the statistics of the finished columns
fn finish_columns(sample: u32, tile: u32, quad: u32, lane: u32) {
}

// hook: input coordinate of an output coordinate and a tap, or -1 outside
fn locate(position: u32, tap: u32, stride: u32, pad: u32, scale: u32, extent: u32) -> i32 {
  let at = i32(position * stride + tap) - i32(pad);
  return select(-1, at / i32(scale), at >= 0 && at < i32(extent * scale));
}

// the output pixel of a row of the product, or -1 where it has none
fn output_pixel(tile: u32, row: u32) -> i32 {
  let x = row % sizes.pitch;
  let y = row / sizes.pitch;
  let at_x = tile % sizes.tiles_x * sizes.tile_w + x;
  let at_y = tile / sizes.tiles_x * sizes.tile_h + y;
  let inside = x < sizes.tile_w && y < sizes.tile_h && at_x < sizes.grid_w && at_y < sizes.grid_h;
  return select(-1, i32(at_y * sizes.grid_w + at_x), inside);
}

// the input pixel of a row of the patch, or -1 outside; `tap` is that which rows are gathered for
fn input_pixel(tile: u32, row: u32, tap: u32) -> i32 {
  var x = tile % sizes.tiles_x * sizes.tile_w;
  var y = tile / sizes.tiles_x * sizes.tile_h;
  var offset = vec3u(row % sizes.pitch, row / sizes.pitch % sizes.patch_h, row / sizes.pitch / sizes.patch_h);
  var inside = row < sizes.patch_rows;
  if (TAPS == 1u) {
    let pixel = output_pixel(tile, row);
    inside = pixel >= 0;
    x = u32(max(pixel, 0)) % sizes.width;
    y = u32(max(pixel, 0)) / sizes.width;
    offset = vec3u(tap % sizes.kernel_w, tap / sizes.kernel_w % sizes.kernel_h, tap / sizes.kernel_w / sizes.kernel_h);
  }
  let at_x = locate(x, offset.x, sizes.stride_w, sizes.pad_w, sizes.scale_w, sizes.in_width);
  let at_y = locate(y % sizes.height, offset.y, sizes.stride_h, sizes.pad_h, sizes.scale_h, sizes.in_height);
  let at_z = locate(y / sizes.height, offset.z, sizes.stride_d, sizes.pad_d, sizes.scale_d, sizes.in_depth);
  let valid = inside && at_x >= 0 && at_y >= 0 && at_z >= 0;
  return select(-1, (at_z * i32(sizes.in_height) + at_y) * i32(sizes.in_width) + at_x, valid);
}

// two quads of a pixel of the main input, or of the skip convolution's: zero where there are none
fn load_vector(sample: u32, pixel: i32, quad: u32, skipping: bool) -> vec4u {
  var held = vec4u();
  let quads = select(sizes.quads0 + sizes.quads1, sizes.skip_quads0 + sizes.skip_quads1, skipping);
  if (pixel < 0 || quad >= quads) { return held; }
  let second = VECTORS == 1u && quad + 1u < quads;
  if (skipping) {
    let at = sample * sizes.pixels + u32(pixel);
    let one = load_skip(at, quad);
    held = vec4u(one, held.zw);
    if (second) { held = vec4u(one, load_skip(at, quad + 1u)); }
  } else {
    let at = sample * sizes.in_depth * sizes.in_height * sizes.in_width + u32(pixel);
    let one = load_input(sample, at, quad);
    held = vec4u(one, held.zw);
    if (second) { held = vec4u(one, load_input(sample, at, quad + 1u)); }
  }
  return held;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(subgroup_id) id: u32,
) {
  let tile = workgroup.x;
  let groups = sizes.taps / TAPS;
  let stages = sizes.chunks * groups;
  let steps = stages * TAPS + sizes.skip_chunks;
  let slice = slice_of(workgroup, stages, stages + sizes.skip_chunks);
  let sample = slice.sample;
  let subgroup = subgroup_of(id, lane);
  let first_block = subgroup / ACROSS * BLOCKS;
  let first_column = subgroup % ACROSS * WIDE * 2u * VECTORS;
  // a thread stages one vector of every SPREAD-th row of the patch
  let slot = lane % SLOTS;
  prepare_sample(sample, lane);

  // where the rows of each block begin in the patch
  var blocks = array<u32, BLOCKS>();
  for (var i = 0u; i < BLOCKS; i++) {
    blocks[i] = ((first_block + i) / sizes.run * sizes.pitch + (first_block + i) % sizes.run * 16u) * ROW;
  }

  var sums = array<Sums, ROWS * COLUMNS>(); // written out
  var places = array<i32, LOADS>();     // input pixels of this thread's rows
  var held = array<vec4u, LOADS>();     // what was loaded of the next patch, then as it is staged
  var next = array<vec4u, DEPTH * OCTETS>();   // weights of the next round
  // the first of its steps
  var step = min(slice.first, stages) * TAPS + max(slice.first, stages) - stages;
  var round = 0u;
  // a stage computes with the patch that the one before it staged, and stages its own behind the last tap
  for (var stage = slice.first; stage <= slice.end; stage++) {
    let last_tap = select(0u, select(0u, TAPS - 1u, stage <= stages), stage > slice.first);
    let more = stage < slice.end;
    let skipping = stage >= stages;
    let quad = (select(stage / groups, stage - stages, skipping) * SLOTS + slot) * (2u / VECTORS);
    let quads = select(sizes.quads0 + sizes.quads1, 0u, skipping);
    if (more) {
      if (stage == slice.first || groups > 1u || stage == stages) {
        for (var i = 0u; i < LOADS; i++) {
          let row = i * SPREAD + lane / SLOTS;
          if (skipping) { places[i] = output_pixel(tile, row); } else { places[i] = input_pixel(tile, row, stage % groups); }
        }
      }
      if (quad < quads) { prepare_quad(sample, quad, 0u); }
      if (VECTORS == 1u && quad + 1u < quads) { prepare_quad(sample, quad + 1u, 1u); }
      for (var i = 0u; i < LOADS; i++) { held[i] = load_vector(sample, places[i], quad, skipping); }
    }
    for (var tap = 0u; tap <= last_tap; tap += DEPTH) {
      let count = min(DEPTH, last_tap + 1u - tap);
      let last = tap + count > last_tap;
      let change = last && more;
      // the taps of the next round: more of this stage, or the first of the one that is staged now
      let rest = select(last_tap + 1u - tap - count, select(0u, select(1u, TAPS, stage < stages), change), last);
      let coming = min(DEPTH, rest);
      for (var d = 0u; d < DEPTH; d++) {
        if (d < coming) {
          for (var i = 0u; i < OCTETS; i++) {
            next[d * OCTETS + i] = weights[(slice.column * steps + step + d) * TILE_N * 4u + i * THREADS + lane];
          }
        }
      }

      for (var d = 0u; d < count && stage > slice.first; d++) {
        let kx = (tap + d) % sizes.kernel_w;
        let ky = (tap + d) / sizes.kernel_w % sizes.kernel_h;
        let kz = (tap + d) / sizes.kernel_w / sizes.kernel_h;
        let shift = ((kz * sizes.patch_h + ky) * sizes.pitch + kx) * ROW;
        let begin = ((round + 1u) % 2u * DEPTH + d) * STEP_B + first_column;
        for (var k = 0u; k < 32u / MATRIX_K; k++) {
          var right = array<Right, COLUMNS>(); // written out
          for (var j = 0u; j < COLUMNS; j++) { // written out
            right[j] = load_right(begin + k * MATRIX_K * ROW_B + j * (MATRIX_N / 8u) * VECTORS);
          }
          for (var i = 0u; i < ROWS; i++) { // written out
            let left = load_left(blocks[i * MATRIX_M / 16u] + i * MATRIX_M % 16u * ROW + shift + k * (MATRIX_K / 8u) * VECTORS);
            for (var j = 0u; j < COLUMNS; j++) { // written out
              sums[i * COLUMNS + j] = multiply(left, right[j], sums[i * COLUMNS + j]);
            }
          }
        }
      }

      // a share of the patch's rows: all in the only round, else those of one of the rounds behind the first
      let rounds = last_tap / DEPTH;
      for (var i = 0u; i < LOADS; i++) {
        if (more && places[i] >= 0 && (rounds == 0u || i % rounds + 1u == tap / DEPTH)) {
          if (skipping) {
            held[i] = plain_vector(held[i]);
          } else if (quad < quads) {
            held[i] = staged_vector(held[i]);
            if (VECTORS == 1u && quad + 1u >= quads) { held[i] = vec4u(held[i].xy, 0u, 0u); }
          }
        }
      }

      for (var d = 0u; d < DEPTH; d++) {
        if (d < coming) {
          for (var i = 0u; i < OCTETS; i++) {
            let at = i * THREADS + lane;
            let to = (round % 2u * DEPTH + d) * STEP_B + at / (TILE_N / 8u) * ROW_B + at % (TILE_N / 8u) * VECTORS;
            stage_weights(to, next[d * OCTETS + i]);
          }
        }
      }
      if (change) {
        workgroupBarrier();
        for (var i = 0u; i < LOADS; i++) { staged[(i * SPREAD + lane / SLOTS) * ROW + slot] = held[i]; }
      }
      workgroupBarrier();
      step += coming;
      round++;
    }
  }

  // a thread finishes one quad of every (LANES / 4)-th row of its subgroup's blocks
  let part = lane / LANES;
  for (var j = 0u; j < WIDE; j++) {
    let quad = slice.column * (TILE_N / 4u) + (part % ACROSS * WIDE + j) * 4u + lane % 4u;
    for (var i = 0u; i < BLOCKS; i++) {
      workgroupBarrier();
      for (var row = 0u; row < ROWS; row++) { // written out
        for (var column = 0u; column < COLUMNS; column++) { // written out
          if (i == row * MATRIX_M / 16u && j == column * MATRIX_N / 16u) {
            store_sums(subgroup * 320u + row * MATRIX_M % 16u * 20u + column * MATRIX_N % 16u, sums[row * COLUMNS + column]);
          }
        }
      }
      workgroupBarrier();
      let block = part / ACROSS * BLOCKS + i;
      for (var r = lane % LANES / 4u; r < 16u; r += LANES / 4u) {
        let pixel = output_pixel(tile, block / sizes.run * sizes.pitch + block % sizes.run * 16u + r);
        if (pixel >= 0 && quad < sizes.out_quads) {
          let place = part * 320u + r * 20u + lane % 4u * 4u;
          let sum = vec4f(scratch[place], scratch[place + 1u], scratch[place + 2u], scratch[place + 3u]);
          let at = (sample * sizes.pixels + u32(pixel)) * sizes.out_quads + quad;
          let value = finish(sum, sample, quad, at);
          store_result(slice.to + at, value);
          collect(value);
        }
      }
      finish_block(i);
    }
    finish_columns(sample, tile, quad, lane);
  }
}

// rounds a quad to float16
fn pack_quad(quad: vec4f) -> vec2u {
  return vec2u(pack2x16float(quad.xy), pack2x16float(quad.zw));
}
