// A parameter in training, packed as a product reads it: [O / tile][step][I % chunk][O % tile], as
// `runtime/weights/pack.ts` does on the host. A thread packs four outputs of an input and a tap; inputs that only fill a chunk
// and outputs that only fill a quad are zeros.

struct Sizes {
  outputs: u32,
  inputs: u32,
  taps: u32,
  filled: u32,          // inputs, filled up to whole chunks
  per_output: u32,      // floats of the parameter from an output, an input and a tap to the next
  per_input: u32,
  per_tap: u32,
  tile: u32,            // outputs of a column tile, inputs of a chunk, steps of a column tile
  chunk: u32,
  steps: u32,
  first_step: u32,      // the first step, and from a chunk and a tap to the next
  per_chunk: u32,
  tap_steps: u32,
  first_output: u32,
  first: u32,           // where the product begins, in quads
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> parameter: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let tile_quads = sizes.tile / 4u;
  let total = (sizes.outputs + sizes.tile - 1u) / sizes.tile * tile_quads * sizes.filled * sizes.taps;
  // in the order of a column tile, so that neighbours write side by side
  for (var i = id.x; i < total; i += workgroups.x * 64u) {
    let input = i / tile_quads % sizes.filled;
    let rest = i / tile_quads / sizes.filled;
    let tap = rest % sizes.taps;
    let output = (rest / sizes.taps * tile_quads + i % tile_quads) * 4u;
    if (output < sizes.outputs) {
      let from_at = min(input, sizes.inputs - 1u) * sizes.per_input + tap * sizes.per_tap;
      var quad = vec4f();
      for (var k = 0u; k < 4u; k++) {
        let loaded = parameter[from_at + min(output + k, sizes.outputs - 1u) * sizes.per_output];
        quad[k] = select(0.0, loaded, input < sizes.inputs && output + k < sizes.outputs);
      }
      let o = sizes.first_output + output;
      let step = sizes.first_step + input / sizes.chunk * sizes.per_chunk + tap * sizes.tap_steps;
      let row = ((o / sizes.tile * sizes.steps + step) * sizes.chunk + input % sizes.chunk) * sizes.tile;
      packed[sizes.first + (row + o % sizes.tile) / 4u] = quad;
    }
  }
}
