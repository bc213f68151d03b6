// The sum over samples, as a table over channels and positions: the gradient by what was added to every sample. Activations
// are [sample][position][channel], the table is [channel][position], rows filled up to whole quads. A thread computes an
// element.

struct Sizes {
  batch: u32,
  in_row: u32,          // floats of a position in the source
  pixels: u32,          // positions
  row: u32,             // floats of a row of the result
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

// hook, written out: a channel of a position
fn load_source0(at: u32) -> f32 {
  return source0[at];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.row) { return; }
  var sum = 0.0;
  if (id.x < sizes.pixels) {
    for (var sample = 0u; sample < sizes.batch; sample++) {
      sum += load_source0((sample * sizes.pixels + id.x) * sizes.in_row + id.y);
    }
  }
  result[id.y * sizes.row + id.x] = sum;
}
