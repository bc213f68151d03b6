// A linear layer: y[sample][n] = sum over k of w[n][k] x[sample][k] + b[n]. For subgroups of 8 lanes: a workgroup
// computes 32 outputs of a sample, a lane a quad of them; inputs pass from lane to lane.
enable subgroups;
diagnostic(off, subgroup_uniformity);

const TEXTURE_WIDTH = 2048u;

struct Sizes {
  in_quads: u32,        // quads of inputs and of outputs, as rows are stored
  out_quads: u32,
  bias_at: u32,         // place of the bias behind the weights, in texels
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var product: texture_storage_2d<rgba32float, read>;   // [32 outputs][in_quads][input of 4][lane] of four outputs
@group(0) @binding(2) var<storage, read> source0: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook: what is done to a finished quad; `at` is its place in the result
fn epilogue(sum: vec4f, sample: u32, quad: u32, at: u32) -> vec4f {
  return sum;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  var at = workgroup.x * sizes.in_quads * 32u + lane;
  var sum = vec4f();
  for (var first = 0u; first < sizes.in_quads; first += 8u) {
    let inputs = source0[sample * sizes.in_quads + min(first + lane, sizes.in_quads - 1u)];
    for (var k = 0u; k < min(8u, sizes.in_quads - first); k++) {
      let x = subgroupShuffle(inputs, k);
      sum += x.x * textureLoad(product, texel(at));
      sum += x.y * textureLoad(product, texel(at + 8u));
      sum += x.z * textureLoad(product, texel(at + 16u));
      sum += x.w * textureLoad(product, texel(at + 24u));
      at += 32u;
    }
  }
  let quad = workgroup.x * 8u + lane;
  if (quad < sizes.out_quads) {
    let to = sample * sizes.out_quads + quad;
    result[to] = epilogue(sum + textureLoad(product, texel(sizes.bias_at + quad)), sample, quad, to);
  }
}
