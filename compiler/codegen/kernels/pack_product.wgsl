// A parameter in training, packed as a product reads it: [O / tile][step][I % chunk][O % tile], as
// `runtime/weights/pack.ts` does on the host. A thread packs four outputs of an input and a tap; inputs that only fill a chunk
// and outputs that only fill a quad are zeros.

const CHUNK = 4u;       // inputs of a step

struct Sizes {
  outputs: u32,
  inputs: u32,
  filled: u32,          // inputs, filled up to whole chunks
  per_output: u32,      // floats of the parameter from an output, an input and a tap to the next
  per_input: u32,
  per_tap: u32,
  tile: u32,            // outputs of a column tile, and its steps
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

// hook, written out: a quad as it is stored
fn as_stored(quad: vec4f) -> vec4f {
  return quad;
}

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  // in the order of a column tile, so that neighbours write side by side; what divides is outside of the loop
  let tile_quads = sizes.tile / 4u;
  let at_once = 64u / tile_quads;
  let tap = workgroup.y;
  let output = (workgroup.z * tile_quads + lane % tile_quads) * 4u;
  if (output >= sizes.outputs || lane >= at_once * tile_quads) { return; }
  let last = sizes.outputs - 1u;
  let rows = min(output + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * sizes.per_output + tap * sizes.per_tap;
  let is_output = output + vec4u(0u, 1u, 2u, 3u) <= vec4u(last);
  let o = sizes.first_output + output;
  let first_step = o / sizes.tile * sizes.steps + sizes.first_step + tap * sizes.tap_steps;
  for (var input = workgroup.x * at_once + lane / tile_quads; input < sizes.filled; input += workgroups.x * at_once) {
    let at = rows + min(input, sizes.inputs - 1u) * sizes.per_input;
    let loaded = vec4f(parameter[at.x], parameter[at.y], parameter[at.z], parameter[at.w]);
    let step = first_step + input / CHUNK * sizes.per_chunk;
    let row = (step * CHUNK + input % CHUNK) * sizes.tile + o % sizes.tile;
    packed[sizes.first + row / 4u] = as_stored(select(vec4f(), loaded, is_output & vec4<bool>(input < sizes.inputs)));
  }
}
