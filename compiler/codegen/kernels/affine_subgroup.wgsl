// What group_norm and FiLM do to a channel is one scale and one shift: y = x * scale + shift. This computes them for
// every quad of a sample from the statistics of the norm's operand. For subgroups of 8 lanes: a workgroup is 8 norm
// groups; a lane merges the statistics of a norm group, then computes quads of their channels.
// Merging n, mean and M2 of two sets: delta = mean_b - mean_a, mean = mean_a + delta n_b / n,
// M2 = M2_a + M2_b + delta^2 n_a n_b / n. Source: Chan, Golub, LeVeque 1979.
enable subgroups;
diagnostic(off, subgroup_uniformity);

const TEXTURE_WIDTH = 2048u;

struct Sizes {
  channels: u32,        // of all sources that are read as one
  norm_groups: u32,
  norm_width: u32,      // channels of a norm group
  quads0: u32,          // channel quads of the sources
  quads1: u32,
  tiles0: u32,          // tiles of the sources' statistics
  tiles1: u32,
  epsilon: f32,
  gamma_at: u32,        // places in the weights, in texels
  beta_at: u32,
  embed_quads: u32,     // quads of a row of the time projections, and where this layer's begin
  embed_at: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;   // [sample][quad] of scale, shift

// place of a vector in a texture that is filled row by row
fn texel(at: u32) -> vec2u {
  return vec2u(at % TEXTURE_WIDTH, at / TEXTURE_WIDTH);
}

struct Moments { count: f32, mean: f32, m2: f32 }

struct Affine { scale: vec4f, shift: vec4f }

// hook: the statistics of one channel in one tile
fn moments_of(sample: u32, channel: u32, tile: u32) -> Moments {
  return Moments(1.0, 0.0, 0.0);
}

// hook: the norm's scale and shift of a quad, from the mean and the reciprocal deviation of its channels' groups
fn norm(quad: u32, mean: vec4f, share: vec4f) -> Affine {
  return Affine(vec4f(1.0), vec4f());
}

// hook: what follows the norm
fn film(affine: Affine, sample: u32, quad: u32) -> Affine {
  return affine;
}

// hook: tiles of the statistics that a channel has
fn tiles_of(channel: u32) -> u32 {
  return 0u;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let sample = workgroup.z;
  let first_group = workgroup.x * 8u;
  let group = min(first_group + lane, sizes.norm_groups - 1u);
  var sum = Moments(0.0, 0.0, 0.0);
  for (var channel = group * sizes.norm_width; channel < (group + 1u) * sizes.norm_width; channel++) {
    for (var tile = 0u; tile < tiles_of(channel); tile++) {
      let part = moments_of(sample, channel, tile);
      let count = sum.count + part.count;
      let delta = part.mean - sum.mean;
      let weight = part.count / count;
      sum = Moments(count, sum.mean + delta * weight, sum.m2 + part.m2 + delta * delta * sum.count * weight);
    }
  }
  let share = inverseSqrt(sum.m2 / sum.count + sizes.epsilon);

  let first_quad = first_group * sizes.norm_width / 4u;
  let end = min((first_group + 8u) * sizes.norm_width, sizes.channels);
  for (var begin = first_quad; begin * 4u < end; begin += 8u) {
    // all lanes take part in the shuffles, those behind the last quad too
    let quad = begin + lane;
    var means = vec4f();
    var shares = vec4f();
    for (var c = 0u; c < 4u; c++) {
      let from_lane = min((quad * 4u + c) / sizes.norm_width - first_group, 7u);
      means[c] = subgroupShuffle(sum.mean, from_lane);
      shares[c] = subgroupShuffle(share, from_lane);
    }
    if (quad * 4u < end) {
      let affine = film(norm(quad, means, shares), sample, quad);
      let to = (sample * (sizes.quads0 + sizes.quads1) + quad) * 2u;
      result[to] = affine.scale;
      result[to + 1u] = affine.shift;
    }
  }
}
