// Changes of bytes that know nothing of what the bytes mean.

import type { Random } from './random.ts';

/** No input is longer: a parser's time is measured against it. */
export const LONGEST = 2 ** 16;

/** Values at which sizes, counts and offsets turn over. */
const EDGES = [
  0,
  1,
  2,
  7,
  8,
  127,
  128,
  255,
  256,
  32767,
  32768,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

/** One to a few changes, mostly few: an input that is broken in one place gets furthest. */
export function mutateBytes(seed: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = seed;
  const changes = 1 + (random.oneIn(3) ? random.below(8) : 0);
  for (let i = 0; i < changes; i++) bytes = change(bytes, others, random).subarray(0, LONGEST);
  return bytes;
}

function change(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = Math.min(bytes.length - at, 1 + random.below(random.oneIn(4) ? 256 : 8));
  const [before, piece, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + length),
    bytes.subarray(at + length),
  ];
  switch (random.below(9)) {
    case 0:
      return joined(
        before,
        piece.map((byte) => byte ^ (1 << random.below(8))),
        after,
      );
    case 1:
      return joined(
        before,
        piece.map(() => random.below(256)),
        after,
      );
    case 2:
      return joined(before, after);
    case 3:
      return joined(
        before,
        ...Array.from({ length: 2 + random.below(random.oneIn(8) ? 400 : 3) }, () => piece),
        after,
      );
    case 4:
      return joined(
        before,
        Uint8Array.from({ length }, () => random.below(256)),
        piece,
        after,
      );
    case 5:
      return before;
    case 6: {
      const other = random.pick(others);
      return joined(before, other.subarray(random.below(other.length + 1)));
    }
    case 7:
      return edge(bytes, at, random);
    default:
      return joined(after, before, piece);
  }
}

/** A number of 1, 2, 4 or 8 bytes becomes one at which something turns over. */
function edge(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  const size = random.pick([1, 2, 4, 8]);
  const little = random.oneIn(4) ? random.below(2) === 0 : true;
  const value = BigInt.asUintN(
    64,
    random.oneIn(5) ? -1n - BigInt(random.below(3)) : BigInt(random.pick(EDGES)),
  );
  const number = Uint8Array.from({ length: size }, (_, i) =>
    Number((value >> BigInt(8 * (little ? i : size - 1 - i))) & 255n),
  );
  return joined(bytes.subarray(0, at), number, bytes.subarray(at + size));
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
