// Sums over the pixels of a sample, a channel each: of source0 times the cotangent source1, then of source1. A workgroup of 64
// threads goes over the pixels of a quad. Activations are channels-last: [sample][pixel][channel / 4].

struct Sizes {
  pixels: u32,          // pixels of a sample
  channels: u32,
  quads: u32,           // quads of a pixel
  row: u32,             // floats of a sample in the result
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;
@group(0) @binding(2) var<storage, read> source1: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;   // [sample][sums of products, sums]

var<workgroup> products: array<vec4f, 64>;
var<workgroup> sums: array<vec4f, 64>;

// hook, written out: a quad of what is scaled
fn load_source0(at: u32) -> vec4f {
  return source0[at];
}

// hook, written out: a quad of the cotangent
fn load_source1(at: u32) -> vec4f {
  return source1[at];
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let quad = workgroup.x;
  var product = vec4f();
  var sum = vec4f();
  for (var p = lane; p < sizes.pixels; p += 64u) {
    let at = (sample * sizes.pixels + p) * sizes.quads + quad;
    product += load_source0(at) * load_source1(at);
    sum += load_source1(at);
  }
  products[lane] = product;
  sums[lane] = sum;
  for (var half = 32u; half >= 1u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      products[lane] += products[lane + half];
      sums[lane] += sums[lane + half];
    }
  }
  workgroupBarrier();
  let channel = quad * 4u + lane;
  if (lane < 4u && channel < sizes.channels) {
    result[sample * sizes.row + channel] = products[0][lane];
    result[sample * sizes.row + sizes.channels + channel] = sums[0][lane];
  }
  // places that only fill the last quad hold zeros
  let fill = 2u * sizes.channels + lane;
  if (quad == 0u && fill < sizes.row) { result[sample * sizes.row + fill] = 0.0; }
}
