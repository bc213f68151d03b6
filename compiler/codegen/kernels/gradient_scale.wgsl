// What gradients are multiplied by before they change parameters, of the sums of their squares: one over the loss's scale, and
// less where their norm is larger than it may be. Gradients that overflowed change nothing. Where arenas change one after the
// other, as soon as their gradients are there, the sums are those of the gradients so far: none is limited by their norm, and
// from the first that overflowed on nothing changes.
//
//   norm = √Σ sums / loss scale
//   factor = 1 / loss scale, times largest / (norm + 1e-6) where norm > largest;   taken: 1 where Σ sums is finite
//
// Source: torch/nn/utils/clip_grad.py (clip_grad_norm_) of PyTorch 1.13.

struct Sizes {
  sums: u32,
  first: u32,           // arenas that may have changed before
}

const CLIPS = 1u;       // whether the norm of all gradients is known

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> settings: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> scale: array<vec4f>; // factor, taken, how many arenas changed

var<workgroup> partials: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < sizes.sums; i += 64u) { sum += sums[i]; }
  partials[lane] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partials[lane] += partials[lane + half]; }
  }
  if (lane == 0u) {
    let unscale = settings[2].x;
    let largest = settings[2].y;
    // compilers may take for granted that no float is an infinity or a NaN: the bits tell
    let finite = (bitcast<u32>(partials[0]) & 0x7f800000u) != 0x7f800000u;
    let norm = sqrt(partials[0]) * unscale;
    var factor = unscale;
    if (CLIPS == 1u && norm > largest) { factor *= largest / (norm + 1e-6); }
    let before = select(scale[0].z, 0.0, sizes.first == 0u);
    let changed = select(before, f32(sizes.first + 1u), finite);
    scale[0] = vec4f(select(0.0, factor, finite), select(0.0, 1.0, finite), changed, 0.0);
  }
}
