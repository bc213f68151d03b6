// The gradient by a table of which samples read rows by their labels: the sum of the cotangents of the samples that have the
// row's label, in their order. A thread computes a quad of a row.

struct Sizes {
  batch: u32,
  quads: u32,           // quads of a row
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;   // cotangents, [sample][quad]
@group(0) @binding(2) var<storage, read> source1: array<u32>;     // labels, [sample]
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.quads) { return; }
  var sum = vec4f();
  for (var sample = 0u; sample < sizes.batch; sample++) {
    if (source1[sample] == id.y) { sum += source0[sample * sizes.quads + id.x]; }
  }
  result[id.y * sizes.quads + id.x] = sum;
}
