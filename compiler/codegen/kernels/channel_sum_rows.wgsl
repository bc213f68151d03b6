// The sum of the channels of a vector over all samples, as channel_sum computes it of activations: a thread goes over the rows
// of a quad of the result. For processors, on which few rows are no work for many threads.

struct Sizes {
  rows: u32,
  row: u32,             // floats of a row, and the first that is summed
  start: u32,
  channels: u32,
  quads: u32,           // quads of the result
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

// hook: four channels that stand one behind the other at a place of the rows, the first `count` of which there are
fn load_channels(at: u32, count: u32) -> vec4f {
  return vec4f();
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.quads) { return; }
  let count = sizes.channels - id.x * 4u;
  var sum = vec4f();
  for (var i = 0u; i < sizes.rows; i++) { sum += load_channels(i * sizes.row + sizes.start + id.x * 4u, count); }
  result[id.x] = select(vec4f(), sum, vec4u(0u, 1u, 2u, 3u) < vec4u(count));
}
