// Which channels of a quad a dropout keeps, as dropout_mask wrote it: four bits of a quad, eight quads in a word.

@group(0) @binding(0) var<storage, read> mask: array<u32>;

// linked:
var<private> kept: vec4<bool>;   // of the quad that was loaded last

fn kept_channels(quad: u32) -> vec4<bool> {
  let bits = mask[quad / 8u] >> (quad % 8u * 4u);
  return (vec4u(bits) & vec4u(1u, 2u, 4u, 8u)) != vec4u(0u);
}
