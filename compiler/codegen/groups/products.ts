// The inner loop of products by single subgroups, unrolled: drivers that run shaders on processors unroll it by
// themselves only up to 16 pixels, and an array that is indexed in a loop costs them a hundred times a register.

/** Pixels whose sums stay in registers while a quad of inputs is added. */
const PIXELS = 4;

/** Adds the quad of inputs of every pixel of `octets`, a line a broadcast: sums[octet][pixel] += a[octet][c] w[c]. */
export function unrolledProducts(sums: string, octets: number): readonly string[] {
  const lines: string[] = [];
  for (let octet = 0; octet < octets; octet++) {
    for (let first = 0; first < 8; first += PIXELS) {
      for (const [c, component] of ['x', 'y', 'z', 'w'].entries()) {
        for (let p = first; p < first + PIXELS; p++) {
          lines.push(
            `${sums}[${octet}u][${p}u] += subgroupBroadcast(a[${octet}u].${component}, ${p}u) * w[${c}u];`,
          );
        }
      }
    }
  }
  return lines;
}
