// The sum of channels over all pixels of all samples: what a bias has for a gradient. A workgroup of 256 threads goes over
// the rows of two quads, a row the channels of a pixel, and adds up in a fixed order.

struct Sizes {
  rows: u32,            // pixels of all samples
  row: u32,             // floats of a row, and the first that is summed
  start: u32,
  channels: u32,
  quads: u32,           // quads of the result
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

var<workgroup> shares: array<vec4f, 256>;

// hook: four channels that stand one behind the other at a place of the rows, the first `count` of which there are
fn load_channels(at: u32, count: u32) -> vec4f {
  return vec4f();
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let quad = workgroup.x * 2u + lane % 2u;
  let count = sizes.channels - min(quad * 4u, sizes.channels);
  var sum = vec4f();
  if (count > 0u) {
    for (var i = lane / 2u; i < sizes.rows; i += 128u) {
      sum += load_channels(i * sizes.row + sizes.start + quad * 4u, count);
    }
  }
  shares[lane] = sum;
  for (var half = 128u; half >= 2u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  if (lane < 2u && quad < sizes.quads) {
    let channel = vec4u(0u, 1u, 2u, 3u);
    result[quad] = select(vec4f(), shares[lane], channel < vec4u(count));
  }
}
