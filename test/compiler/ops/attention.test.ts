import { describe, expect, it } from 'vitest';
import { attention } from '../../../compiler/ops/attention.ts';
import { at, noise, relativeL2 } from '../../fixtures/values.ts';

describe('attention', () => {
  const [batch, heads, width, positions] = [2, 3, 4, 5];
  it.each([
    ['heads_first', '[head][q, k, v][channel]', (h: number, which: number) => h * 3 + which],
    ['qkv_first', '[q, k, v][head][channel]', (h: number, which: number) => which * heads + h],
  ] as const)('is softmax(qᵀk / sqrt(ch)) v for channels ordered %s: %s', (order, _, place) => {
    const qkv = noise([batch, heads * 3 * width, positions], 1);
    const part = (b: number, h: number, which: number, c: number, t: number) =>
      at(qkv, [b, place(h, which) * width + c, t]);
    const range = (n: number) => Array.from({ length: n }, (_, i) => i);
    const expected: number[] = [];
    for (const b of range(batch))
      for (const h of range(heads))
        for (const c of range(width))
          for (const t of range(positions)) {
            const scores = range(positions).map((s) =>
              Math.exp(
                range(width).reduce((sum, d) => sum + part(b, h, 0, d, t) * part(b, h, 1, d, s), 0) /
                  Math.sqrt(width),
              ),
            );
            const total = scores.reduce((a, e) => a + e);
            expected.push(scores.reduce((sum, e, s) => sum + (e / total) * part(b, h, 2, c, s), 0));
          }
    const y = attention.reference([qkv], { heads, order });
    expect(y.shape).toEqual([batch, heads * width, positions]);
    expect(relativeL2(y.data, expected)).toBeLessThan(1e-14);
  });

  it('survives scores whose exponential overflows, and then picks the value of the largest', () => {
    const qkv = noise([1, 3, 4], 2);
    qkv.data.set([1e5, 1e5, 1e5, 1e5], 0);
    qkv.data.set([1, 2, 4, 3], 4);
    const y = attention.reference([qkv], { heads: 1, order: 'heads_first' });
    expect([...y.data]).toEqual(Array(4).fill(qkv.data[8 + 2]));
  });

  it('counts two products of T² · C', () => {
    const macs = attention.macs([{ dtype: 'f32', shape: [2, 96, 10] }], { heads: 4, order: 'heads_first' });
    expect(macs).toEqual({ conv: 0, linear: 0, attention: 2 * 2 * 100 * 32 });
  });

  it('refuses channels that are no q, k and v of all heads', () => {
    expect(() =>
      attention.infer([{ dtype: 'f32', shape: [1, 96, 4] }], { heads: 5, order: 'heads_first' }),
    ).toThrow(/96 channels do not divide/);
    expect(() =>
      attention.infer([{ dtype: 'f32', shape: [1, 96, 2, 2] }], { heads: 4, order: 'heads_first' }),
    ).toThrow(/\[batch, 3C, T\]/);
  });
});
