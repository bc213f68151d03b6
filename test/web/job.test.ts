import { describe, expect, test } from 'vitest';
import {
  checkJob,
  classesOf,
  className,
  guidanceOf,
  MOST_PICTURES,
  requestsOf,
  usualJob,
} from '../../web/job.ts';
import { DIGITS, digitsWith } from './page-models.ts';

test('a page begins with a picture of each of ten classes, by the sampler of fewest steps', () => {
  const job = usualJob(DIGITS);
  expect(job).toMatchObject({
    seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    sampler: { kind: 'dpmpp' },
    steps: '15',
  });
  expect(job.labels).toEqual(job.seeds);
  expect(() => checkJob(DIGITS, job)).not.toThrow();
  const none = digitsWith({ num_classes: null });
  expect(usualJob(none)).toMatchObject({ labels: [], seeds: { length: 8 } });
  expect(() => checkJob(none, usualJob(none))).not.toThrow();
});

test('a process of fewer steps than usual is walked whole', () => {
  const short = { ...DIGITS, diffusion: { ...DIGITS.diffusion, steps: 10 } };
  const job = usualJob(short);
  expect(() => checkJob(short, job)).not.toThrow();
  expect(job.steps).toBe('');
});

test('labels are cycled over the seeds, and a picture is what it is as float32', () => {
  const job = { ...usualJob(DIGITS), seeds: [5, 6, 7], labels: [1, 2], low_res: Uint8Array.of(0, 255) };
  expect(requestsOf(job)).toEqual([
    { seed: 5, label: 1, low_res: Float32Array.of(-1, 1) },
    { seed: 6, label: 2, low_res: Float32Array.of(-1, 1) },
    { seed: 7, label: 1, low_res: Float32Array.of(-1, 1) },
  ]);
});

test('classes are those of the model and its classifier alike, and have the names that were given', () => {
  expect(classesOf(digitsWith({ classifier_classes: 9 }).denoiser)).toBe(9);
  expect(classesOf(digitsWith({ num_classes: null }).denoiser)).toBeNull();
  expect(className({ ...DIGITS, names: ['zero', 'one'] }, 1)).toBe('one');
  expect(className(DIGITS, 1)).toBe('1');
});

test('guidance is of a null class', () => {
  const job = { ...usualJob(DIGITS), guidance: 3 };
  expect(guidanceOf(DIGITS, job)).toBeUndefined();
  expect(guidanceOf({ ...DIGITS, null_class: 9 }, job)).toEqual({ scale: 3, null_class: 9 });
});

describe('what cannot be drawn is said in the words of the sampler', () => {
  const usual = usualJob(DIGITS);
  test.each([
    [{ labels: [10] }, 'label 10 is out of range'],
    [{ labels: [] }, 'the model has 10 classes; give a label'],
    [{ steps: '2000' }, '2000'],
    [{ steps: 'fifty' }, 'fifty'],
    [{ sampler: { kind: 'ddim', eta: 5 } }, 'eta: 5 is out of range'],
    [{ sampler: { kind: 'euler' } }, 'its kind is euler'],
    [{ seeds: Array.from({ length: MOST_PICTURES + 1 }, (_, i) => i) }, `at most ${MOST_PICTURES}`],
    [{ low_res: new Uint8Array(4) }, 'not for super-resolution'],
    [{ classifier_scale: 1 }, 'no classifier guides the model'],
  ] as const)('%j', (change, message) => {
    expect(() => checkJob(DIGITS, { ...usual, ...change } as typeof usual)).toThrow(message);
  });

  test('a model that upsamples wants its picture first', () => {
    const upsampler = digitsWith({ low_res_size: [7, 7] });
    expect(() => checkJob(upsampler, usual)).toThrow(
      'choose a picture first: this model enlarges one of 7x7 pixels',
    );
    expect(() => checkJob(upsampler, { ...usual, low_res: new Uint8Array(48) })).toThrow('48 values');
    expect(() => checkJob(upsampler, { ...usual, low_res: new Uint8Array(49) })).not.toThrow();
  });
});
