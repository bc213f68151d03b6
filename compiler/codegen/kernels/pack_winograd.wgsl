// A 3x3 parameter in training as the planes G g GT of Winograd's algorithm, as `runtime/weights/winograd.ts` has them: each
// plane is [O / tile][I / chunk][I % chunk][O % tile]. A thread makes all planes of four outputs and an input; outputs and
// inputs that only fill tiles and chunks are zeros.

struct Sizes {
  outputs: u32,
  inputs: u32,
  filled_inputs: u32,   // filled up to whole chunks
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

// hook, written out: a quad as it is read, which in float16 is rounded
fn rounded(quad: vec4f) -> vec4f {
  return quad;
}

// hook: writes the planes of the taps g, the first at `at`
fn store_planes(at: u32, g: array<vec4f, 9>) {
}

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  // in the order of a plane, so that neighbours write side by side; what divides is outside of the loop
  let tile_quads = sizes.tile / 4u;
  let at_once = 64u / tile_quads;
  let quad = lane % tile_quads;
  let output = (workgroup.y * tile_quads + quad) * 4u;
  let last = sizes.outputs - 1u;
  let rows = min(output + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * sizes.per_output + sizes.first_tap;
  let is_output = output + vec4u(0u, 1u, 2u, 3u) <= vec4u(last);
  let first = select(sizes.filled_inputs, workgroup.x * at_once + lane / tile_quads, lane < at_once * tile_quads);
  for (var input = first; input < sizes.filled_inputs; input += workgroups.x * at_once) {
    let from_at = rows + min(input, sizes.inputs - 1u) * sizes.per_input;
    let is_both = is_output & vec4<bool>(input < sizes.inputs);
    var g = array<vec4f, 9>();
    for (var tap = 0u; tap < 9u; tap++) {
      let at = from_at + tap * sizes.per_tap;
      g[tap] = select(vec4f(), rounded(vec4f(parameter[at.x], parameter[at.y], parameter[at.z], parameter[at.w])), is_both);
    }
    store_planes(sizes.first + (workgroup.y * sizes.filled_inputs + input) * tile_quads + quad, g);
  }
}
