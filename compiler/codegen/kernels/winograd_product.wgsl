// The products of Winograd's planes: for each plane a matrix product of tiles by output channels, whose inner dimension are
// input channels. A workgroup of ROWS x COLUMNS threads computes TILE_M tiles of a plane by TILE_N channels; a thread computes
// every ROWS-th tile and every COLUMNS-th channel quad of them. As conv_gemm, small tiles stage DEPTH steps of 16 input channels
// between two barriers. Tiles of several samples may be computed together: each sum has an order of its own, whoever is beside.
// The planes are [plane][tile of all samples][quad], those of the result have quads of output channels.

const TILE_M = 64u;      // tiles a workgroup computes: 16, 32 or 64
const TILE_N = 64u;      // output channels a workgroup computes: 32 or 64
const COLUMNS = 8u;
const ROWS = 64u / COLUMNS;             // threads below each other
const PIXELS = TILE_M / ROWS;           // tiles a thread computes
const QUADS = TILE_N / 4u / COLUMNS;    // channel quads a thread computes
const DEPTH = 1u;             // steps that are staged at once
const ROW = DEPTH * 4u + 1u;  // vec4f a tile takes: 4 quads of each step and one against bank conflicts

struct Sizes {
  tiles: u32,           // tiles of a plane, of all samples
  quads: u32,           // quads of input and of output channels
  out_quads: u32,
  steps: u32,           // steps of 16 input channels
  step_quads: u32,      // quads of a step: 4, as a number that drivers do not know, lest they unroll
  column_tiles: u32,    // tiles of output channels
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;   // [plane][column tile][step][16][TILE_N / 4]
@group(0) @binding(2) var<storage, read> planes: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4f>;

var<workgroup> tile_a: array<vec4f, TILE_M * ROW>;
var<workgroup> tile_b: array<vec4f, DEPTH * TILE_N * 4u>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) workgroup: vec3u) {
  let row = lane / COLUMNS;
  let column = lane % COLUMNS;
  let first_tile = workgroup.z * sizes.tiles;
  var sums: array<vec4f, PIXELS * QUADS>;
  var base = (workgroup.z * sizes.column_tiles + workgroup.y) * sizes.steps * TILE_N * 4u;
  for (var first = 0u; first < sizes.steps; first += DEPTH) {
    let staged = min(DEPTH, sizes.steps - first);
    workgroupBarrier();
    for (var i = lane; i < TILE_M * DEPTH * 4u; i += 64u) {
      let tile = workgroup.x * TILE_M + i / (DEPTH * 4u);
      let slot = i % (DEPTH * 4u);
      let quad = first * 4u + slot;
      var value = vec4f();
      if (tile < sizes.tiles && quad < sizes.quads) { value = planes[(first_tile + tile) * sizes.quads + quad]; }
      tile_a[i / (DEPTH * 4u) * ROW + slot] = value;
    }
    for (var i = lane; i < staged * TILE_N * 4u; i += 64u) { tile_b[i] = weights[base + i]; }
    base += staged * TILE_N * 4u;
    workgroupBarrier();

    for (var slot = 0u; slot < staged * sizes.step_quads; slot++) {
      var a = array<vec4f, PIXELS>();
      for (var i = 0u; i < PIXELS; i++) { a[i] = tile_a[(i * ROWS + row) * ROW + slot]; }
      for (var j = 0u; j < QUADS; j++) {
        let at_b = slot * TILE_N + j * COLUMNS + column;
        let b0 = tile_b[at_b];
        let b1 = tile_b[at_b + TILE_N / 4u];
        let b2 = tile_b[at_b + TILE_N / 2u];
        let b3 = tile_b[at_b + TILE_N / 4u * 3u];
        for (var i = 0u; i < PIXELS; i++) {
          let sum = fma(vec4f(a[i].y), b1, fma(vec4f(a[i].x), b0, sums[j * PIXELS + i]));
          sums[j * PIXELS + i] = fma(vec4f(a[i].w), b3, fma(vec4f(a[i].z), b2, sum));
        }
      }
    }
  }

  for (var j = 0u; j < QUADS; j++) {
    let quad = workgroup.y * (TILE_N / 4u) + j * COLUMNS + column;
    for (var i = 0u; i < PIXELS; i++) {
      let tile = workgroup.x * TILE_M + i * ROWS + row;
      if (tile < sizes.tiles && quad < sizes.out_quads) { result[(first_tile + tile) * sizes.out_quads + quad] = sums[j * PIXELS + i]; }
    }
  }
}
