// The words of the error that ends a run: what is not finite, and of the kernel that made it no more than is known.

import { expect, test } from 'vitest';
import { notFinite } from '../../../engine/training/not-finite.ts';
import type { BadPass } from '../../../runtime/training/training-step.ts';

const BATCH = {
  ...{ x_start: new Float32Array(2), noise: new Float32Array(2), weights: [1, 1] },
  ...{ timesteps: [3, 5], samples: [7, 8] },
};
const FOUND: BadPass = { kernel: 'dispatch 9', exact: true };

function told(
  { loss = [1, 1], grad_norm = Number.NaN, lg }: { loss?: number[]; grad_norm?: number; lg?: number },
  found: BadPass | null,
): string {
  const scale = lg === undefined ? null : { lg, bad_losses: 0 };
  const result = { losses: { loss: Float32Array.from(loss) }, grad_norm, taken: false };
  return notFinite({ nameOf: (sample) => `a_${sample}.png`, position: 4, scale }, BATCH, result, found)
    .message;
}

test('a kernel is named, and how it was found where parameters had changed', () => {
  expect(told({}, FOUND)).toMatch(
    /^step 4: the gradients' norm is NaN, and the losses are finite; the first value that is not finite was made by dispatch 9; the run ends there/,
  );
  expect(told({}, { ...FOUND, exact: false })).toContain(
    'was made by dispatch 9 (the pass was computed once more, with what the step had changed taken back but for rounding); the run ends there',
  );
  expect(told({ loss: [1, Number.NaN] }, FOUND)).toMatch(
    /^step 4: the loss of sample 1 of 2 \(timestep 5, of the data a_8\.png\) is NaN; the first value .* by dispatch 9; .* and look at that sample$/,
  );
});

test('where no kernel made it the sums over gradients did, as far as the pass is the same', () => {
  const sums = 'every gradient is finite, and a sum over them, or over their squares, is not';
  expect(told({ grad_norm: 2e19 }, { kernel: null, exact: true })).toMatch(
    new RegExp(
      `the gradients' norm is 20000000000000000000, whose square is beyond float32, .*${sums}; the run`,
    ),
  );
  expect(told({ lg: 0 }, { kernel: null, exact: true })).toMatch(
    new RegExp(`gradients overflow even of the loss times 2\\^0, .*${sums}; .*or in float32`),
  );
  const unsure = told({}, { kernel: null, exact: false });
  expect(unsure).toContain('no kernel was found to have made a value that is not finite: the pass was');
  expect(unsure).not.toContain(sums);
  const loss = told({ loss: [Number.NaN, 1] }, { kernel: null, exact: true });
  expect(loss).toContain('; computed once more, no kernel made a value that is not finite; the run ends');
  expect(told({}, null)).toMatch(/and the losses are finite; the run ends there/);
});
