// A parameter in training, packed as a product reads it: [O / tile][step][I % chunk][O % tile], as
// `runtime/weights/pack.ts` does on the host. A thread packs four outputs of an input and a tap; inputs that only fill a chunk
// and outputs that only fill a quad are zeros.

const TEXTURE_WIDTH = 2048u;

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

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

// hook: writes a quad of the packed weights
fn store_packed(at: u32, quad: vec4f) {
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let quads = (sizes.outputs + 3u) / 4u;
  let total = quads * sizes.filled * sizes.taps;
  for (var i = id.x; i < total; i += workgroups.x * 64u) {
    let input = i % sizes.filled;
    let tap = i / sizes.filled % sizes.taps;
    let output = i / sizes.filled / sizes.taps * 4u;
    let from_at = output * sizes.per_output + input * sizes.per_input + tap * sizes.per_tap;
    var quad = vec4f();
    if (input < sizes.inputs) {
      for (var k = 0u; k < min(4u, sizes.outputs - output); k++) { quad[k] = parameter[from_at + k * sizes.per_output]; }
    }
    let o = sizes.first_output + output;
    let step = sizes.first_step + input / sizes.chunk * sizes.per_chunk + tap * sizes.tap_steps;
    let column = o / sizes.tile;
    let row = ((column * sizes.steps + step) * sizes.chunk + input % sizes.chunk) * sizes.tile;
    store_packed(sizes.first + (row + o % sizes.tile) / 4u, quad);
  }
}
