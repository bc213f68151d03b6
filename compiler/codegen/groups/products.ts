// The inner loop of products by single subgroups, unrolled: drivers that run shaders on processors unroll it by
// themselves only up to 16 pixels, and an array that is indexed in a loop costs them a hundred times a register.

import type { LongBody } from '../wgsl/link.ts';

/**
 * Adds the quad of inputs of every pixel of `octets`, a line a sum: sums[octet][pixel][set] += a[octet][c] w[c][set] over the
 * four inputs c, in their order. A sum that is loaded and stored once for all four leaves the compiler registers for weights.
 * Where a lane has one vector of outputs there is no index of a set.
 */
export function unrolledProducts(sums: string, octets: number, sets: number | null): LongBody {
  return { name: [sums, octets, sets].join(' '), lines: () => unroll(sums, octets, sets) };
}

function unroll(sums: string, octets: number, sets: number | null): readonly string[] {
  const ofSets = sets === null ? [''] : Array.from({ length: sets }, (_, s) => `[${s}u]`);
  const lines: string[] = [];
  for (let octet = 0; octet < octets; octet++) {
    for (let p = 0; p < 8; p++) {
      for (const set of ofSets) {
        const sum = `${sums}[${octet}u][${p}u]${set}`;
        const terms = ['x', 'y', 'z', 'w'].map(
          (component, c) => `subgroupBroadcast(a[${octet}u].${component}, ${p}u) * w[${c}u]${set}`,
        );
        lines.push(`${sum} = ${[sum, ...terms].join(' + ')};`);
      }
    }
  }
  return lines;
}

/**
 * Adds the products of eight pixels' quads of a cotangent with a quad of the input of each, a line a sum, of which there are
 * four for each of `rows` quads: sums[4 row + c] += sum over pixels of g[row][c] x[pixel]. What a line adds stays in registers.
 */
export function unrolledOuterProducts(rows: number): LongBody {
  const line = (row: number, c: number) => {
    const products = Array.from(
      { length: 8 },
      (_, p) => `subgroupBroadcast(g[${row}u].${'xyzw'[c]}, ${p}u) * x[${p}u]`,
    );
    return `sums[${4 * row + c}u] += ${products.join(' + ')};`;
  };
  const lines = () => Array.from({ length: 4 * rows }, (_, i) => line(Math.floor(i / 4), i % 4));
  return { name: `outer ${rows}`, lines };
}

/** Counts `count` vectors in three sums of as many each: sums[k][i] += g[k] from[i]. */
export function unrolledSums(sums: string, from: string, count: number): LongBody {
  const lines = () =>
    Array.from({ length: 3 * count }, (_, at) => {
      return `${sums}[${at}u] += g[${Math.floor(at / count)}u] * ${from}[${at % count}u];`;
    });
  return { name: `sums ${sums} ${from} ${count}`, lines };
}
