// The last transform of Winograd's algorithm for the gradient of a weight: the products p of a pair of channels, summed over
// all tiles, become the gradients GT p G of its 3 x 3 taps. Source: Lavin and Gray 2016, arXiv:1509.09308. For subgroups of 8
// lanes: a workgroup is one channel of the cotangent by 8 quads of the input.
// The products are [plane][cotangent's channel][input's channel / 4], the result is [cotangent's channel][tap][input's channel / 4].

const PATCH = 6u;   // planes of a side

struct Sizes {
  out_channels: u32,
  quads: u32,           // of the input's channels
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> products: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

// hook: GT of a row or column of products
fn transform(p: array<vec4f, PATCH>) -> array<vec4f, 3> {
  return array<vec4f, 3>();
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let channel = workgroup.y;
  let quad = workgroup.x * 8u + lane;
  let from_quad = min(quad, sizes.quads - 1u);
  var rows = array<array<vec4f, PATCH>, 3>();
  for (var j = 0u; j < PATCH; j++) {
    var column = array<vec4f, PATCH>();
    for (var i = 0u; i < PATCH; i++) {
      column[i] = products[((i * PATCH + j) * sizes.out_channels + channel) * sizes.quads + from_quad];
    }
    let transformed = transform(column);
    for (var i = 0u; i < 3u; i++) { rows[i][j] = transformed[i]; }
  }
  if (quad < sizes.quads) {
    for (var i = 0u; i < 3u; i++) {
      let transformed = transform(rows[i]);
      for (var j = 0u; j < 3u; j++) { result[(channel * 9u + i * 3u + j) * sizes.quads + quad] = transformed[j]; }
    }
  }
}
