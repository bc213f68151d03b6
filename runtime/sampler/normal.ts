// The inverse of the standard normal distribution function, to float64 accuracy and to the bit on every engine.
//
// Source: Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37
// (1988), PPND16 without its far tails, constants rounded to float64. Only + - * / and sqrt are used, which
// IEEE 754 rounds in one way; engines differ in the last bits of Math.log and Math.cos.

/** Numerator and denominator of one rational approximation, constant term first. */
interface Rational {
  readonly numerator: readonly number[];
  readonly denominator: readonly number[];
}

/** |p - 1/2| <= 0.425, in 0.425^2 - (p - 1/2)^2. */
const CENTRE: Rational = {
  numerator: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
    67265.7709270087, 33430.57558358813, 2509.0809287301227,
  ],
  denominator: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852854,
  ],
};

/** Beyond, to sqrt(-ln p) = 5, in sqrt(-ln p) - 1.6. */
const TAIL: Rational = {
  numerator: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  denominator: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
};

/** The value that a standard normal variable stays below with probability `p`, 2^-36 <= p <= 1 - 2^-36. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * evaluate(CENTRE, 0.180625 - q * q);
  const magnitude = evaluate(TAIL, Math.sqrt(-naturalLog(q < 0 ? p : 1 - p)) - 1.6);
  return q < 0 ? -magnitude : magnitude;
}

function evaluate({ numerator, denominator }: Rational, x: number): number {
  return horner(numerator, x) / horner(denominator, x);
}

function horner(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i]!;
  return sum;
}

/** ln x for normal 0 < x < 1: x = m 2^-e with m near 1, ln m = 2 artanh((m - 1) / (m + 1)). */
function naturalLog(x: number): number {
  let mantissa = x;
  let exponent = 0;
  for (; mantissa < Math.SQRT1_2; mantissa *= 2) exponent++;
  const s = (mantissa - 1) / (mantissa + 1);
  // s^2 < 0.03: eleven terms reach past float64.
  let series = 0;
  for (let k = 21; k >= 1; k -= 2) series = series * s * s + 1 / k;
  return 2 * s * series - exponent * Math.LN2;
}
