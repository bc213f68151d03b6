import { expect, test } from 'vitest';
import { rooflinePlot } from '../../../cli/profile/roofline.ts';
import { PROFILE } from '../../fixtures/profile.ts';

const svg = rooflinePlot(PROFILE);
const attribute = (name: string, text: string) => Number(new RegExp(` ${name}="([^"]*)"`).exec(text)?.[1]);

test('one dot for each group with arithmetic and time, the others are counted', () => {
  expect(svg.match(/<title>/g)).toHaveLength(1);
  expect(svg).toContain('without arithmetic or time: 1 of 2 groups');
});

test('a dot lies at its intensity and its rate, under the roof by its distance', () => {
  const dot = /<circle[^>]*><title>/.exec(svg)?.[0] ?? '';
  const at = (text: string) => {
    const label = new RegExp(`<text x="([^"]*)" y="([^"]*)" [^>]*>${text}</text>`).exec(svg);
    return { x: Number(label?.[1]), y: Number(label?.[2]) };
  };
  // The convolution and the copy of its group: 4e8 operations and 1.1e7 bytes in 10 ms. Labels of y sit 4 lower.
  const part = (value: number, from: number, to: number) => (value - from) / (to - from);
  expect(part(attribute('cx', dot), at('10').x, at('100').x)).toBeCloseTo(Math.log10(40 / 11), 2);
  const y = (text: string) =>
    Number(new RegExp(`y="([^"]*)" text-anchor="end">${text}</text>`).exec(svg)?.[1]) - 4;
  expect(part(attribute('cy', dot), y('10'), y('100'))).toBeCloseTo(Math.log10(4), 2);
});

test('the dispatches of a group are one dot, with their times together', () => {
  expect(svg).toContain('10.000 ms, 100.0% of the pass');
  const [conv, copy, ...others] = PROFILE.dispatches;
  const apart = rooflinePlot({ ...PROFILE, dispatches: [conv!, { ...copy!, group: 'other' }, ...others] });
  expect(apart).toContain('8.000 ms, 80.0% of the pass');
});

test('text is escaped, and nothing is undefined', () => {
  expect(svg).toContain('a &amp; b');
  expect(svg).toContain('#0 &lt;input_blocks.0.0&gt;');
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test('a profile without any arithmetic is a plot of the roofs alone', () => {
  const empty = rooflinePlot({ ...PROFILE, dispatches: PROFILE.dispatches.slice(1, 2) });
  expect(empty).not.toMatch(/NaN|undefined|Infinity/);
  expect(empty).toContain('100 GFLOP/s (given)');
});
