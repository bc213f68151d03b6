// What a device answers: errors of WebGPU become the project's own, and those of others stay what they are.

import { expect, test } from 'vitest';
import { answered } from '../../runtime/answered.ts';
import { RuntimeError } from '../../runtime/errors.ts';

const alive = { lost: new Promise<null>(() => {}), check: () => {} };
const refused = (): Promise<never> => Promise.reject(new DOMException('not mapped', 'OperationError'));

test('what WebGPU throws is a fault of the GPU, with what was being done', async () => {
  const error = await answered(alive, 'reading back times', refused).catch((found: unknown) => found);
  expect(error).toBeInstanceOf(RuntimeError);
  expect(error).toMatchObject({ kind: 'gpu', message: 'reading back times: not mapped' });
});

test('the loss of the device is told in its place, though it is known later', async () => {
  const loss = new RuntimeError('gpu', 'the GPU device was lost (unknown)');
  let known = false;
  const lost = new Promise<RuntimeError>((resolve) => {
    setTimeout(() => {
      known = true;
      resolve(loss);
    }, 5);
  });
  const check = (): void => {
    if (known) throw loss;
  };
  await expect(answered({ lost, check }, 'reading back times', refused)).rejects.toBe(loss);
});

test('what is no error of WebGPU goes through as it is', async () => {
  const bug = new TypeError('x is not a function');
  await expect(answered(alive, 'reading', () => Promise.reject(bug))).rejects.toBe(bug);
  await expect(answered(alive, 'reading', async () => 5)).resolves.toBe(5);
});
