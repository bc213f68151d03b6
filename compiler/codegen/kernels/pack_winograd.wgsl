// A 3x3 parameter in training as the planes G g GT of Winograd's algorithm, as `runtime/weights/winograd.ts` has them: each
// plane is [O / tile][I / chunk][I % chunk][O % tile]. A thread makes all planes of four outputs and an input; outputs and
// inputs that only fill tiles and chunks are zeros.

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
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;

// hook: writes the planes of the taps g, the first at `at`
fn store_planes(at: u32, g: array<vec4f, 9>) {
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let total = sizes.filled_outputs / 4u * sizes.filled_inputs;
  let tile_quads = sizes.tile / 4u;
  // in the order of a plane, so that neighbours write side by side
  for (var i = id.x; i < total; i += workgroups.x * 64u) {
    let input = i / tile_quads % sizes.filled_inputs;
    let output = (i / tile_quads / sizes.filled_inputs * tile_quads + i % tile_quads) * 4u;
    let from_at = min(input, sizes.inputs - 1u) * sizes.per_input + sizes.first_tap;
    var g = array<vec4f, 9>();
    for (var tap = 0u; tap < 9u; tap++) {
      for (var k = 0u; k < 4u; k++) {
        let row = min(output + k, sizes.outputs - 1u);
        let loaded = parameter[from_at + row * sizes.per_output + tap * sizes.per_tap];
        g[tap][k] = select(0.0, loaded, input < sizes.inputs && output + k < sizes.outputs);
      }
    }
    store_planes(sizes.first + i, g);
  }
}
