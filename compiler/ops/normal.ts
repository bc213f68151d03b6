// The distribution function of the normal distribution in float64: Φ(x) = (1 + erf(x / √2)) / 2.
// Near zero Φ(x) = 1/2 + φ(x) · (x + x³/3 + x⁵/(3·5) + …); in the tail 1 - Φ(x) = φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))).
// Source: Abramowitz and Stegun 1964, 26.2.11 and 26.2.14.

/** From here on the continued fraction is exact with as few terms as it has. */
const TAIL = 3;
const TERMS = 120;

/** The probability that a standard normal number is at most `x`. */
export function normal(x: number): number {
  if (Number.isNaN(x)) return x;
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const at = Math.abs(x);
  const above = at < TAIL ? 0.5 - density * series(at) : density / fraction(at);
  return x > 0 ? 1 - above : above;
}

function series(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 3; term > sum * Number.EPSILON; n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return sum;
}

function fraction(x: number): number {
  let value = x;
  for (let n = TERMS; n > 0; n--) value = x + n / value;
  return value;
}
