// Convolution in 1 to 3 dimensions for processors that run a subgroup of 8 lanes as one vector (lavapipe): no
// workgroup memory, no barriers. A workgroup is one subgroup; it computes OCTETS * 8 pixels of one sample by SETS * 32
// channels. A lane loads a quad of input channels of its pixel of each octet, and holds the weights and the sums of a
// quad of output channels of each set; pixels pass from lane to lane by broadcasts.
// Activations and weights are in storage textures, which such drivers read at half the cost of a buffer. An activation is
// [sample][channel / 4][pixel].
// Loops whose number of rounds is the length of an array they index are unrolled by the driver, and the arrays become
// registers.
enable subgroups;
diagnostic(off, subgroup_uniformity);

const OCTETS = 2u;   // octets of output pixels a workgroup computes
const SETS = 2u;     // sets of 8 quads of output channels
const TEXTURE_WIDTH = 2048u;

struct Sizes {
  pixels: u32,          // output pixels of a sample
  height: u32,          // output height and width (depth follows)
  width: u32,
  out_quads: u32,       // quads of output channels
  in_pixels: u32,       // stored input pixels of a sample
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
  quads0: u32,          // channel quads of the sources that are read as one
  quads1: u32,
  out_row: u32,         // vectors that a quad's pixels take in the result
  planes: u32,          // products whose weights take turns over the samples: 1, or Winograd's planes
  bias_at: u32,         // place of the bias behind the weights, in texels
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var product: texture_storage_2d<rgba32float, read>;   // [plane][column tile][tap][quad][input of 4][set][lane] of four outputs
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

var<private> sums: array<array<array<vec4f, SETS>, 8>, OCTETS>;   // [octet][pixel][set]

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad as it is stored
fn as_stored(quad: vec4f) -> vec4f {
  return quad;
}

// hook: one quad of the main input
fn load_input(sample: u32, pixel: u32, quad: u32) -> vec4f {
  return vec4f();
}

// hook: what is loaded for a tap; one that falls outside of the input counts as zero
fn mask_tap(loaded: vec4f, inside: bool) -> vec4f {
  return select(vec4f(), loaded, inside);
}

// hook: adds the products of a quad of inputs of every pixel with the weights of each input
fn multiply(a: array<vec4f, OCTETS>, w: array<array<vec4f, SETS>, 4>) {
  for (var o = 0u; o < OCTETS; o++) {
    for (var p = 0u; p < 8u; p++) {
      for (var c = 0u; c < 4u; c++) {
        for (var s = 0u; s < SETS; s++) { sums[o][p][s] += subgroupShuffle(a[o][c], p) * w[c][s]; }
      }
    }
  }
}

// hook: what has to be known of a lane's channels
fn prepare_quad(sample: u32, quad: u32) {
}

// hook: what is done to a finished quad; `at` is its place in the result
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

// hook: the statistics of the finished tile
fn finish_tile(sample: u32, tile: u32, quad: u32, s: u32) {
}

// hook: input coordinate of an output coordinate and a tap, or -1 outside
fn locate(position: u32, tap: u32, stride: u32, pad: u32, scale: u32, extent: u32) -> i32 {
  let at = i32(position * stride + tap) - i32(pad);
  return select(-1, at / i32(scale), at >= 0 && at < i32(extent * scale));
}

// the weights of a quad of inputs, which begin at a multiple of what a row of the texture is a multiple of
fn load_weights(at: u32) -> array<array<vec4f, SETS>, 4> {
  let first = texel(at);
  var w = array<array<vec4f, SETS>, 4>();
  for (var c = 0u; c < 4u; c++) {
    for (var s = 0u; s < SETS; s++) { w[c][s] = textureLoad(product, first + vec2u((c * SETS + s) * 8u, 0u)); }
  }
  return w;
}

@compute @workgroup_size(8)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  // all samples of a plane, one behind the other: a cache then has the plane's weights for all but the first
  let samples = workgroups.z / sizes.planes;
  let sample = workgroup.z % samples * sizes.planes + workgroup.z / samples;
  let first = workgroup.x * OCTETS * 8u;
  let quads = sizes.quads0 + sizes.quads1;
  let column_tile = sample % sizes.planes * workgroups.y + workgroup.y;
  var at = column_tile * sizes.taps * quads * SETS * 32u + lane;

  for (var tap = 0u; tap < sizes.taps; tap++) {
    var pixels = array<u32, OCTETS>();
    var inside = array<bool, OCTETS>();
    for (var o = 0u; o < OCTETS; o++) {
      let pixel = first + o * 8u + lane;
      let x = locate(pixel % sizes.width, tap % sizes.kernel_w, sizes.stride_w, sizes.pad_w, sizes.scale_w, sizes.in_width);
      let y = locate(pixel / sizes.width % sizes.height, tap / sizes.kernel_w % sizes.kernel_h, sizes.stride_h, sizes.pad_h, sizes.scale_h, sizes.in_height);
      let z = locate(pixel / sizes.width / sizes.height, tap / sizes.kernel_w / sizes.kernel_h, sizes.stride_d, sizes.pad_d, sizes.scale_d, sizes.in_depth);
      let valid = pixel < sizes.pixels && x >= 0 && y >= 0 && z >= 0;
      pixels[o] = select(0u, (u32(z) * sizes.in_height + u32(y)) * sizes.in_width + u32(x), valid);
      inside[o] = valid;
    }
    for (var quad = 0u; quad < quads; quad++) {
      var a = array<vec4f, OCTETS>();
      for (var o = 0u; o < OCTETS; o++) { a[o] = mask_tap(load_input(sample, pixels[o], quad), inside[o]); }
      multiply(a, load_weights(at));
      at += SETS * 32u;
    }
  }
  for (var s = 0u; s < SETS; s++) {
    let quad = (workgroup.y * SETS + s) * 8u + lane;
    if (quad < sizes.out_quads) {
      prepare_quad(sample, quad);
      let last = sizes.pixels - first - 1u;
      let to = (sample * sizes.out_quads + quad) * sizes.out_row + first;
      for (var o = 0u; o < OCTETS; o++) {
        for (var p = 0u; p < 8u; p++) {
          // only the store is masked: what a branch assigns costs the driver a blend and twice the code
          let pixel = min(o * 8u + p, last);
          sums[o][p][s] = epilogue(sums[o][p][s], sample, quad, to + pixel);
          if (o * 8u + p <= last) { result[to + pixel] = as_stored(sums[o][p][s]); }
        }
      }
      finish_tile(sample, workgroup.x, quad, s);
    }
  }
}
