// The input transform of Winograd's F(4x4, 3x3): every tile of 4 x 4 pixels of the output reads a patch d of 6 x 6 pixels of the
// padded input, through what is fused in front of the convolution, and becomes 36 planes BT d B, one for each product. Source:
// Lavin and Gray 2016, arXiv:1509.09308. A workgroup of 16 x 4 threads goes over tiles of 16 quads; a thread keeps its quad, so
// what belongs to channels is computed once.
// The source is [sample][pixel][quad], the result [plane][tile of all samples of the part][quad].

const M = 4u;       // pixels of a side of a tile of the output, and of its patch
const PATCH = 6u;
const COLUMNS = 16u;   // quads that threads side by side take

struct Sizes {
  first_sample: u32,    // of the part of the batch that is computed at once
  tiles: u32,           // tiles of a sample, of a row, and of a workgroup
  tiles_x: u32,
  tiles_at_once: u32,
  plane_tiles: u32,     // tiles of all samples of the part
  height: u32,
  width: u32,
  in_width: u32,        // of the source as it is stored
  in_pixels: u32,
  scale_h: u32,         // nearest upsampling: pixels for a stored one
  scale_w: u32,
  quads0: u32,          // channel quads of the sources that are read as one
  quads1: u32,
  gamma_at: u32,        // places in the weights, in vec4f
  beta_at: u32,
  norm_width: u32,      // channels of a norm group, and pixels of a channel
  norm_pixels: u32,
  tiles0: u32,          // tiles of the sources' statistics, and their pixels
  tile_pixels0: u32,
  tiles1: u32,
  tile_pixels1: u32,
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

// hook: what has to be known of a sample
fn prepare_sample(sample: u32, lane: u32) {
}

// hook: one quad of the input
fn load_input(sample: u32, pixel: u32, quad: u32) -> vec4f {
  return vec4f();
}

// hook: what has to be known of the channels of a quad
fn prepare_quad(sample: u32, quad: u32) {
}

// hook: what is done to a loaded quad
fn prologue(loaded: vec4f) -> vec4f {
  return loaded;
}

// hook: BT of a row or column of a patch
fn transform(d: array<vec4f, PATCH>) -> array<vec4f, PATCH> {
  return d;
}

// a pixel of the padded input; numbers below 0 have wrapped around and are outside, too
fn pixel_of(sample: u32, y: u32, x: u32, quad: u32) -> vec4f {
  let inside = y < sizes.height && x < sizes.width;
  // loaded in any case, so that loads do not wait for each other
  let at = sample * sizes.in_pixels + select(0u, y / sizes.scale_h * sizes.in_width + x / sizes.scale_w, inside);
  return select(vec4f(), prologue(load_input(sample, at, quad)), inside);
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = sizes.first_sample + workgroup.z;
  prepare_sample(sample, lane);
  let quads = sizes.quads0 + sizes.quads1;
  let quad = workgroup.y * COLUMNS + lane % COLUMNS;
  if (quad >= quads) { return; }
  prepare_quad(sample, quad);
  let end = min((workgroup.x + 1u) * sizes.tiles_at_once, sizes.tiles);
  for (var tile = workgroup.x * sizes.tiles_at_once + lane / COLUMNS; tile < end; tile += 64u / COLUMNS) {
    // the patch begins one pixel above and to the left of the tile
    let y = tile / sizes.tiles_x * M - 1u;
    let x = tile % sizes.tiles_x * M - 1u;
    var patch_rows = array<vec4f, PATCH * PATCH>(); // written out
    for (var j = 0u; j < PATCH; j++) { // written out
      let column = transform(array<vec4f, PATCH>(
        pixel_of(sample, y, x + j, quad),
        pixel_of(sample, y + 1u, x + j, quad),
        pixel_of(sample, y + 2u, x + j, quad),
        pixel_of(sample, y + 3u, x + j, quad),
        pixel_of(sample, y + 4u, x + j, quad),
        pixel_of(sample, y + 5u, x + j, quad),
      ));
      for (var i = 0u; i < PATCH; i++) { // written out
        patch_rows[i * PATCH + j] = column[i];
      }
    }
    let to = (workgroup.z * sizes.tiles + tile) * quads + quad;
    for (var i = 0u; i < PATCH; i++) { // written out
      let row = transform(array<vec4f, PATCH>(
        patch_rows[i * PATCH],
        patch_rows[i * PATCH + 1u],
        patch_rows[i * PATCH + 2u],
        patch_rows[i * PATCH + 3u],
        patch_rows[i * PATCH + 4u],
        patch_rows[i * PATCH + 5u],
      ));
      for (var j = 0u; j < PATCH; j++) { // written out
        result[to + (i * PATCH + j) * sizes.plane_tiles * quads] = row[j];
      }
    }
  }
}
