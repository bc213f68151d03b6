// The sum of the parts of a value, in their order.

struct Sizes {
  quads: u32,           // of a part
  parts: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> parts: array<vec4f>;     // [part][quad]
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  for (var i = id.x; i < sizes.quads; i += workgroups.x * 64u) {
    var sum = vec4f();
    for (var part = 0u; part < sizes.parts; part++) { sum += parts[part * sizes.quads + i]; }
    result[i] = sum;
  }
}
