// The input transform of Winograd's F(2x2, 3x3): every 2x2 tile of the output reads a 4x4 patch d of the padded input
// and becomes 16 values BT d B, one for each of 16 products. Source: Lavin and Gray 2016, arXiv:1509.09308.
// The result is [sample of the part][plane of 16][tile][quad].

struct Sizes {
  first_sample: u32,    // of the part of the batch that is computed at once
  tiles: u32,           // tiles of a sample, and of a row
  tiles_x: u32,
  height: u32,
  width: u32,
  quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> source0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

// BT of one row or column of four
fn transform(d: array<vec4f, 4>) -> array<vec4f, 4> {
  return array<vec4f, 4>(d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]);
}

// BT of four neighbouring pixels of a row, zero where `inside` is false; what lies outside is read and dropped
fn transform_row(at: u32, inside: vec4<bool>) -> array<vec4f, 4> {
  let d0 = select(vec4f(), source0[at - sizes.quads], inside.x);
  let d1 = select(vec4f(), source0[at], inside.y);
  let d2 = select(vec4f(), source0[at + sizes.quads], inside.z);
  let d3 = select(vec4f(), source0[at + 2u * sizes.quads], inside.w);
  return transform(array<vec4f, 4>(d0, d1, d2, d3));
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let tile = workgroup.x * 8u + lane / 8u;
  let quad = workgroup.y * 8u + lane % 8u;
  if (tile >= sizes.tiles || quad >= sizes.quads) { return; }
  // the tile's first output pixel; its patch begins one pixel above and to the left of it
  let y = tile / sizes.tiles_x * 2u;
  let x = tile % sizes.tiles_x * 2u;
  let columns = vec4<bool>(x > 0u, true, true, x + 2u < sizes.width);
  let stride = sizes.width * sizes.quads;
  let center = (((sizes.first_sample + workgroup.z) * sizes.height + y) * sizes.width + x) * sizes.quads + quad;
  let row0 = transform_row(center - stride, columns & vec4<bool>(y > 0u));
  let row1 = transform_row(center, columns);
  let row2 = transform_row(center + stride, columns);
  let row3 = transform_row(center + 2u * stride, columns & vec4<bool>(y + 2u < sizes.height));
  let at = (workgroup.z * 16u * sizes.tiles + tile) * sizes.quads + quad;
  let plane = sizes.tiles * sizes.quads;
  for (var i = 0u; i < 4u; i++) {
    let column = transform(array<vec4f, 4>(row0[i], row1[i], row2[i], row3[i]));
    result[at + i * plane] = column[0];
    result[at + (4u + i) * plane] = column[1];
    result[at + (8u + i) * plane] = column[2];
    result[at + (12u + i) * plane] = column[3];
  }
}
