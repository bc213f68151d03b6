// Random numbers that a seed, a parser and an index determine, so that any input can be made again by itself.
// Source: Chris Doty-Humphrey, PractRand, sfc32.

export interface Random {
  /** A whole number from 0 to below `n`. */
  below(n: number): number;
  /** True once in `n` times. */
  oneIn(n: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** The numbers of input `index` of what is called `name`, under `seed`. */
export function randomOf(seed: number, name: string, index: number): Random {
  let [a, b, c, counter] = [seed >>> 0, hashOf(name), index >>> 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  const below = (n: number): number => Math.floor((next() / 2 ** 32) * n);
  return { below, oneIn: (n) => below(n) === 0, pick: (items) => items[below(items.length)]! };
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
