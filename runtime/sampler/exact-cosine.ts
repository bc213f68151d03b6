// The cosine, correctly rounded: in integers of 128 binary places, then rounded once.
//
//   cos x = 1 - x^2/2! + x^4/4! - ...
//
// A beta of the cosine schedule is one minus the ratio of two neighbouring squares of cosines, which cancels all but a
// few digits: a last bit that engines round in their own ways becomes an error of 1e-12 in the logarithm of a variance.

const PLACES = 128n;
const ONE = 1n << PLACES;

/** cos(x) for 0 <= x <= 2, rounded to nearest. */
export function exactCosine(x: number): number {
  const fixed = toFixedPoint(x);
  const square = (fixed * fixed) >> PLACES;
  let [term, sum] = [ONE, ONE];
  for (let k = 2n; term !== 0n; k += 2n) {
    term = -((term * square) >> PLACES) / (k * (k - 1n));
    sum += term;
  }
  return Number(sum) / 2 ** Number(PLACES);
}

/** Units of 2^-128. A float64 has 53 bits, so one below 2^-75 is cut, which moves no cosine. */
function toFixedPoint(x: number): bigint {
  return BigInt(Math.floor(x * 2 ** Number(PLACES)));
}
