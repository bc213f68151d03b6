// The sums of squares of an arena of gradients, one a workgroup, each added up in a fixed order.

struct Sizes {
  quads: u32,
  first: u32,           // where this arena's sums begin
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

var<workgroup> partials: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  var sum = vec4f();
  for (var i = workgroup.x * 64u + lane; i < sizes.quads; i += workgroups.x * 64u) {
    sum += gradients[i] * gradients[i];
  }
  partials[lane] = (sum.x + sum.y) + (sum.z + sum.w);
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partials[lane] += partials[lane + half]; }
  }
  if (lane == 0u) { sums[sizes.first + workgroup.x] = partials[0]; }
}
