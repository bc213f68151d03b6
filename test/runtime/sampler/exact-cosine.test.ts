import { expect, test } from 'vitest';
import { exactCosine } from '../../../runtime/sampler/exact-cosine.ts';

// By mpmath with 60 digits, rounded.
test.each([
  [0, 1],
  [0.012466551, 0.9999222935594849],
  [0.5, 0.8775825618903728],
  [1, 0.5403023058681398],
  [1.25, 0.3153223623952687],
  [1.5, 0.0707372016677029],
  [1.5707963267948966, 6.123233995736766e-17],
])('cos(%f) is %f, to the last bit', (x, cosine) => {
  expect(exactCosine(x)).toBe(cosine);
});

test('is within a bit of the engine’s own', () => {
  for (let i = 0; i <= 1000; i++) {
    const x = (i / 1000) * 1.57;
    expect(Math.abs(exactCosine(x) - Math.cos(x))).toBeLessThanOrEqual(1.2e-16);
  }
});
