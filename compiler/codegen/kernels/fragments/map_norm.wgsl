// What a map needs for a norm in front of it: its groups' statistics, and the norm's vectors.

@group(0) @binding(0) var<storage, read> weights: array<vec4f>;

// linked:

var<workgroup> group_norm: array<vec2f, 32>;   // mean and reciprocal deviation of each norm group

fn weight_vector(at: u32) -> vec4f {
  return weights[at];
}
