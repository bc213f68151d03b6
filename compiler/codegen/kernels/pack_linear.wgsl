// A parameter in training, packed as a linear layer reads it: [N / 64][K / 4][N % 64][K % 4], as `runtime/weights/pack.ts` does
// on the host. A thread packs four inputs of an output.

struct Sizes {
  outputs: u32,
  quads: u32,           // of inputs
  first_output: u32,
  first: u32,           // where the layer begins, in quads
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> parameter: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  for (var i = id.x; i < sizes.outputs * sizes.quads; i += workgroups.x * 64u) {
    let n = sizes.first_output + i / sizes.quads;
    packed[sizes.first + (n / 64u * sizes.quads + i % sizes.quads) * 64u + n % 64u] = parameter[i];
  }
}
