// The product of conv_gemm in float16: of eight input channels the products are summed in float16, of more in float32. The
// sum of eight is rounded eight times, to 2^-11 of itself at the most; a longer one is more often and relative to more, and
// of fewer the sums in float32 cost more than float16 saves (docs/gpu.md has the errors).

enable f16;

const TILE_M = 64u;
const TILE_N = 64u;
const COLUMNS = 8u;
const ROWS = 8u;
const PIXELS = 8u;
const QUADS = 2u;
const ROW = 5u;

var<workgroup> tile_a: array<vec4h, TILE_M * ROW>;
var<workgroup> tile_b: array<vec4h, TILE_N * 4u>;

// linked:

// fills: adds the products of the quads of input channels that are staged
fn multiply(slots: u32, row: u32, column: u32, sums: ptr<function, array<vec4f, PIXELS * QUADS>>) {
  for (var slot = 0u; slot < slots; slot += 2u) {
    var a = array<vec4h, 2u * PIXELS>();
    for (var i = 0u; i < PIXELS; i++) {
      a[2u * i] = tile_a[(i * ROWS + row) * ROW + slot];
      a[2u * i + 1u] = tile_a[(i * ROWS + row) * ROW + slot + 1u];
    }
    for (var j = 0u; j < QUADS; j++) {
      var b = array<vec4h, 8>();
      for (var c = 0u; c < 8u; c++) { b[c] = tile_b[slot * TILE_N + c * (TILE_N / 4u) + j * COLUMNS + column]; }
      for (var i = 0u; i < PIXELS; i++) {
        var part = vec4h(a[2u * i].x) * b[0];
        part = fma(vec4h(a[2u * i].y), b[1], part);
        part = fma(vec4h(a[2u * i].z), b[2], part);
        part = fma(vec4h(a[2u * i].w), b[3], part);
        part = fma(vec4h(a[2u * i + 1u].x), b[4], part);
        part = fma(vec4h(a[2u * i + 1u].y), b[5], part);
        part = fma(vec4h(a[2u * i + 1u].z), b[6], part);
        part = fma(vec4h(a[2u * i + 1u].w), b[7], part);
        sums[j * PIXELS + i] += vec4f(part);
      }
    }
  }
}
