// The sum of channels over all pixels of all samples: what a bias has for a gradient. For subgroups of 8 lanes: a workgroup
// goes over a quad, a lane over every eighth pixel, sample by sample. Activations in textures are [sample][channel / 4][pixel].

enable subgroups;
diagnostic(off, subgroup_uniformity);

const TEXTURE_WIDTH = 2048u;

struct Sizes {
  batch: u32,
  pixels: u32,          // pixels of a sample
  quads: u32,           // quads of a pixel
  channels: u32,        // of the result, which are the first of the source
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var source0: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook, written out: a quad of what is summed
fn load_source0(at: u32) -> vec4f {
  return textureLoad(source0, texel(at));
}

// the sum over the lanes
fn sum_lanes(value: vec4f) -> vec4f {
  var sum = value;
  sum += subgroupShuffleXor(sum, 1u);
  sum += subgroupShuffleXor(sum, 2u);
  sum += subgroupShuffleXor(sum, 4u);
  return sum;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let quad = workgroup.x;
  var sum = vec4f();
  for (var sample = 0u; sample < sizes.batch; sample++) {
    let begin = (sample * sizes.quads + quad) * sizes.pixels;
    // the pixels of a sample apart: a long sum in one variable loses digits
    var own = vec4f();
    for (var p = lane; p < sizes.pixels; p += 8u) { own += load_source0(begin + p); }
    sum += own;
  }
  let all = sum_lanes(sum);
  let channel = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
  if (lane == 0u) { result[quad] = select(vec4f(), all, channel < vec4u(sizes.channels)); }
}
