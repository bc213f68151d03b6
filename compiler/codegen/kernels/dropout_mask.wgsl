// Which elements a dropout keeps, a bit each: a thread draws the eight quads of a word. Quad q of a sample at pixel p is
// number n = (sample * quads + q) * pixels + p, its channels are the four bits from 4 * (n % 8) on of word n / 8.
// The draw is Philox4x32-10, as runtime/training/dropout.ts has it: the key is the seed, the counter is
// [q * pixels + p, sample of the batch, step, stream]. Source: Salmon, Moraes, Dror, Shaw 2011 (Random123).

struct Sizes {
  quads: u32,           // quads of all samples, and of one of them
  sample_quads: u32,
  stream: u32,          // last word of the counter: what tells this dropout from other draws
  threshold: u32,       // words below it are kept
  rounds: u32,          // 10, as a number that drivers do not know, lest they unroll
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> words: array<vec4u>;   // of each sample: seed, lower word first, step, sample
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

// the upper 32 bits of a product
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = vec2u(a, b) & vec2u(0xffffu);
  let high = vec2u(a, b) >> vec2u(16u);
  let cross = high.x * low.y + ((low.x * low.y) >> 16u);
  let middle = low.x * high.y + (cross & 0xffffu);
  return high.x * high.y + (cross >> 16u) + (middle >> 16u);
}

// the four random words of a counter
fn philox(from_counter: vec4u, from_key: vec2u) -> vec4u {
  var counter = from_counter;
  var key = from_key;
  for (var round = 0u; round < sizes.rounds; round++) {
    let high0 = multiply_high(0xd2511f53u, counter.x);
    let high1 = multiply_high(0xcd9e8d57u, counter.z);
    let low0 = 0xd2511f53u * counter.x;
    let low1 = 0xcd9e8d57u * counter.z;
    counter = vec4u(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  for (var i = id.x; i < (sizes.quads + 7u) / 8u; i += workgroups.x * 64u) {
    var bits = 0u;
    for (var k = 0u; k < 8u; k++) {
      let n = min(i * 8u + k, sizes.quads - 1u);
      let drawn_by = words[n / sizes.sample_quads];
      let drawn = philox(vec4u(n % sizes.sample_quads, drawn_by.w, drawn_by.z, sizes.stream), drawn_by.xy);
      let kept = select(vec4u(), vec4u(1u, 2u, 4u, 8u), drawn < vec4u(sizes.threshold));
      bits |= (kept.x | kept.y | kept.z | kept.w) << (4u * k);
    }
    result[i] = bits;
  }
}
