// The statistics of a tile of conv_matrix: mean and M2 of a thread's pixels of a block, one after the other (Welford 1962).
// Blocks are merged in pairs, then in pairs of pairs, in a thread as far as it has them and behind it for all that had the
// quad: the order is that of the blocks, however they are dealt to subgroups, for that depends on the batch. Last come the
// rows of threads.

const ACROSS = 2u;
const DOWN = 2u;
const WIDE = 2u;
const BLOCKS = 2u;
const LANES = 32u;

struct Sizes {
  out_quads: u32,
  tiles: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;

var<workgroup> scratch: array<f32, 1280>;

// inline: mean, M2
fn statistics_at(sample: u32, tiles: u32, tile: u32, quads: u32, quad: u32) -> u32 {
  return 0u;
}

// linked:

struct Moments { pixels: f32, mean: vec4f, m2: vec4f }

var<private> of_block: Moments;               // of the block at hand
var<private> of_pairs: array<Moments, 4>;     // of one, two, four and eight blocks

// both together (Chan, Golub and LeVeque 1979)
fn merged(a: Moments, b: Moments) -> Moments {
  if (a.pixels == 0.0) { return b; }
  if (b.pixels == 0.0) { return a; }
  let pixels = a.pixels + b.pixels;
  let deviation = b.mean - a.mean;
  let m2 = a.m2 + b.m2 + deviation * deviation * (a.pixels * b.pixels / pixels);
  return Moments(pixels, a.mean + deviation * (b.pixels / pixels), m2);
}

// fills: takes a finished quad into the statistics of the tile
fn collect(value: vec4f) {
  of_block.pixels += 1.0;
  let deviation = value - of_block.mean;
  of_block.mean += deviation / of_block.pixels;
  of_block.m2 += deviation * (value - of_block.mean);
}

// fills: the statistics of a finished block, the `block`-th of its columns that this thread has part in
fn finish_block(block: u32) {
  var moments = of_block;
  var level = 0u;
  for (; (block >> level) % 2u == 1u; level++) { moments = merged(of_pairs[level], moments); }
  of_pairs[level] = moments;
  of_block = Moments();
}

// what a thread has told of its blocks
fn told_by(thread: u32) -> Moments {
  let at = thread * 9u;
  let mean = vec4f(scratch[at], scratch[at + 1u], scratch[at + 2u], scratch[at + 3u]);
  return Moments(scratch[at + 8u], mean, vec4f(scratch[at + 4u], scratch[at + 5u], scratch[at + 6u], scratch[at + 7u]));
}

// fills: the statistics of the finished columns
fn finish_columns(sample: u32, tile: u32, quad: u32, lane: u32) {
  let own = of_pairs[firstTrailingBit(BLOCKS)];
  workgroupBarrier();
  for (var c = 0u; c < 4u; c++) {
    scratch[lane * 9u + c] = own.mean[c];
    scratch[lane * 9u + 4u + c] = own.m2[c];
  }
  scratch[lane * 9u + 8u] = own.pixels;
  workgroupBarrier();
  if (lane / LANES < ACROSS && lane % LANES < 4u && quad < sizes.out_quads) {
    var all = Moments();
    for (var row = 0u; row < LANES / 4u; row++) {
      let first = lane / LANES * LANES + row * 4u + lane % 4u;
      var moments = told_by(first);
      if (DOWN > 1u) { moments = merged(moments, told_by(first + ACROSS * LANES)); }
      if (DOWN > 2u) {
        let others = merged(told_by(first + 2u * ACROSS * LANES), told_by(first + 3u * ACROSS * LANES));
        moments = merged(moments, others);
      }
      all = merged(all, moments);
    }
    let at = statistics_at(sample, sizes.tiles, tile, sizes.out_quads, quad);
    statistics[at] = all.mean;
    statistics[at + 1u] = all.m2;
  }
}
