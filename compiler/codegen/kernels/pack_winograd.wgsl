// A 3x3 parameter in training as the planes G g GT of Winograd's algorithm, as `runtime/weights/winograd.ts` has them: each
// plane is [O / tile][I / chunk][I % chunk][O % tile]. A thread makes all planes of four outputs and an input; outputs and
// inputs that only fill tiles and chunks are zeros.

const TEXTURE_WIDTH = 2048u;

struct Sizes {
  outputs: u32,
  inputs: u32,
  filled_outputs: u32,  // filled up to whole tiles and chunks
  filled_inputs: u32,
  per_output: u32,      // floats of the parameter from an output, an input and a tap to the next
  per_input: u32,
  first_tap: u32,       // floats to the first tap; they may go back from there, modulo 2^32
  per_tap: u32,
  tile: u32,
  plane: u32,           // quads of a plane
  first: u32,           // where the planes begin, in quads
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

// hook: writes the planes of the taps g, the first at `at`
fn store_planes(at: u32, g: array<vec4f, 9>) {
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let total = sizes.filled_outputs / 4u * sizes.filled_inputs;
  for (var i = id.x; i < total; i += workgroups.x * 64u) {
    let input = i % sizes.filled_inputs;
    let output = i / sizes.filled_inputs * 4u;
    let from_at = output * sizes.per_output + input * sizes.per_input + sizes.first_tap;
    var g = array<vec4f, 9>();
    if (input < sizes.inputs && output < sizes.outputs) {
      for (var tap = 0u; tap < 9u; tap++) {
        for (var k = 0u; k < min(4u, sizes.outputs - output); k++) {
          g[tap][k] = parameter[from_at + k * sizes.per_output + tap * sizes.per_tap];
        }
      }
    }
    let row = (output / sizes.tile * sizes.filled_inputs + input) * sizes.tile;
    store_planes(sizes.first + (row + output % sizes.tile) / 4u, g);
  }
}
