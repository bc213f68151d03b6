import { describe, expect, test } from 'vitest';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Job } from '../../web/job.ts';
import { LONGEST_PICTURE, linkOf, readLink } from '../../web/link.ts';

const USUAL: Job = {
  seeds: [0],
  labels: [0, 1],
  sampler: { kind: 'dpmpp' },
  steps: '15',
  guidance: null,
  classifier_scale: null,
  low_res: null,
};
const JOB: Job = {
  ...USUAL,
  seeds: [3, 4, 5, 1, 9007199254740991],
  labels: [7, 7, 1],
  sampler: { kind: 'ddim', eta: 0.25 },
  steps: '10,10,20',
  guidance: 2.5,
  classifier_scale: 1,
};

test('a link is what sample would be asked for, and brings the same job back', () => {
  const link = linkOf(JOB, 'abc');
  expect(link).toBe(
    'seeds=3-5,1,9007199254740991&labels=7,7,1&sampler=ddim&eta=0.25&steps=10,10,20&guidance=2.5&scale=1&model=abc',
  );
  expect(readLink(`#${link}`, USUAL)).toEqual({ job: JOB, digest: 'abc', lacksPicture: false });
  expect(readLink(linkOf(USUAL, 'abc'), JOB)!.job).toEqual({ ...USUAL, classifier_scale: 1 });
});

test('all steps of a process have no word, and what a link does not say is as usual', () => {
  expect(linkOf({ ...JOB, steps: '' }, 'a')).not.toContain('steps');
  expect(readLink('#seeds=2', USUAL)!.job).toEqual({ ...USUAL, seeds: [2], steps: '' });
  for (const nothing of ['', '#', '#labels=3']) expect(readLink(nothing, USUAL)).toBeNull();
});

test('a small picture is in the link to the byte, and of a large one only that there was one', () => {
  const low_res = Uint8Array.from({ length: 49 }, (_, i) => (i * 37) % 256);
  expect(readLink(linkOf({ ...JOB, low_res }, 'a'), USUAL)!.job.low_res).toEqual(low_res);
  const large = linkOf({ ...JOB, low_res: new Uint8Array(LONGEST_PICTURE + 1) }, 'a');
  expect(readLink(large, USUAL)).toMatchObject({ job: { low_res: null }, lacksPicture: true });
});

describe('words that are off', () => {
  test.each([
    ['seeds=9-1', "seeds: '9-1' runs backwards; write 1-9"],
    ['seeds=1&labels=x', "labels: found 'x'; write numbers and ranges"],
    ['seeds=1&sampler=euler', "sampler: found 'euler', expected one of ddpm, ddim, dpmpp"],
    ['seeds=1&sampler=ddim&eta=', "eta: found '', expected a number"],
    ['seeds=1&guidance=NaN', "guidance: found 'NaN', expected a number"],
    ['seeds=1&picture=%20%20%21', "picture: found '  !', expected letters, digits, - and _"],
  ])('%s', (link, message) => {
    expect(() => readLink(link, USUAL)).toThrow(RuntimeError);
    expect(() => readLink(link, USUAL)).toThrow(message);
  });
});
