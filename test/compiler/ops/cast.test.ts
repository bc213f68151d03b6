import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cast, roundToHalf } from '../../../compiler/ops/cast.ts';
import { tensor } from '../../fixtures/values.ts';

/** The value of a float16 by its bits (IEEE 754, binary16). */
function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, bits & 1023];
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return exponent === 31 ? (fraction ? NaN : sign ? -Infinity : Infinity) : sign ? -magnitude : magnitude;
}

describe('roundToHalf', () => {
  it('keeps every float16', () => {
    const all = Array.from({ length: 65536 }, (_, bits) => half(bits));
    expect(all.filter((x) => !Object.is(roundToHalf(x), x))).toEqual([]);
  });

  it('rounds what lies between two float16 to the nearer, and halfway to the even one', () => {
    const wrong = Array.from({ length: 0x7bff }, (_, bits) => bits).filter((bits) => {
      const [low, high] = [half(bits), half(bits + 1)];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? low : high;
      return !(
        roundToHalf(middle) === even &&
        roundToHalf(-middle) === -even &&
        roundToHalf(middle * (1 - 1e-12)) === low &&
        roundToHalf(middle * (1 + 1e-12)) === high
      );
    });
    expect(wrong).toEqual([]);
  });

  it('overflows where rounding would pass the largest', () => {
    expect(roundToHalf(65519.999)).toBe(65504);
    expect(roundToHalf(65520)).toBe(Infinity);
    expect(roundToHalf(-1e300)).toBe(-Infinity);
    expect(roundToHalf(2 ** -26)).toBe(0);
    expect(Object.is(roundToHalf(-0), -0)).toBe(true);
  });

  it('is monotonic and odd', () => {
    const value = fc.double({ min: -70000, max: 70000, noNaN: true });
    fc.assert(
      fc.property(value, value, (a, b) => {
        if (a <= b) expect(roundToHalf(a)).toBeLessThanOrEqual(roundToHalf(b));
        expect(roundToHalf(-a) + roundToHalf(a)).toBe(Math.abs(a) >= 65520 ? NaN : 0);
      }),
    );
  });
});

describe('cast', () => {
  it('rounds to the element type', () => {
    const x = tensor([2], [0.1, 1 + 2 ** -12]);
    expect([...cast.reference([x], { dtype: 'f16' }).data]).toEqual([0.0999755859375, 1]);
    expect([...cast.reference([x], { dtype: 'f32' }).data]).toEqual([Math.fround(0.1), 1 + 2 ** -12]);
  });

  it('refuses labels', () => {
    expect(() => cast.infer([{ dtype: 'f32', shape: [1] }], { dtype: 'u32' })).toThrow(/u32/);
    expect(() => cast.infer([{ dtype: 'u32', shape: [1] }], { dtype: 'f32' })).toThrow(/float/);
  });
});
