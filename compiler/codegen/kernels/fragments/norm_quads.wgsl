// The group_norm of any number of groups on GPUs: mean and reciprocal deviation of the norm groups that the channels of a
// quad belong to, each time a quad's scale and shift are asked for. Kernels take it where groups are more than the
// threads that norm_groups.wgsl gives them: such groups are narrow, and the tiles of their channels have been merged.

const EPSILON = 0.00001;

struct Sizes {
  quads0: u32,
  quads1: u32,
  norm_width: u32,
  norm_pixels: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;

fn statistics_of(sample: u32, channel: u32, tile: u32) -> vec3f {
  return vec3f();
}

fn tiles_of(channel: u32) -> u32 {
  return 0u;
}

// linked:

// mean and reciprocal deviation of the norm groups of a quad's channels
struct Norm { mean: vec4f, share: vec4f }

fn norm_of(sample: u32, quad: u32) -> Norm {
  let elements = f32(sizes.norm_width * sizes.norm_pixels);
  var norm = Norm();
  var known = 0u;   // one more than the group that was computed last
  for (var i = 0u; i < 4u; i++) {
    let group = (quad * 4u + i) / sizes.norm_width;
    if (known == group + 1u) {
      norm.mean[i] = norm.mean[i - 1u];
      norm.share[i] = norm.share[i - 1u];
    } else {
      let first = group * sizes.norm_width;
      // channels that only fill the last quad have statistics, and those behind it have none
      let end = min(first + sizes.norm_width, (sizes.quads0 + sizes.quads1) * 4u);
      var sum = 0.0;
      for (var c = first; c < end; c++) {
        for (var tile = 0u; tile < tiles_of(c); tile++) {
          let s = statistics_of(sample, c, tile);
          sum += s.z * s.x;
        }
      }
      let mean = sum / elements;
      var squares = 0.0;
      for (var c = first; c < end; c++) {
        for (var tile = 0u; tile < tiles_of(c); tile++) {
          let s = statistics_of(sample, c, tile);
          squares += s.y + s.z * (s.x - mean) * (s.x - mean);
        }
      }
      norm.mean[i] = mean;
      norm.share[i] = inverseSqrt(squares / elements + EPSILON);
      known = group + 1u;
    }
  }
  return norm;
}
