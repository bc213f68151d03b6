import { expect, test } from 'vitest';
import type { Axis, Scaling, ScalingPoint } from '../../../cli/bench/scaling.ts';
import { scalingPlot } from '../../../cli/bench/scaling-plot.ts';
import { scalingTable } from '../../../cli/bench/table.ts';

const point = (axis: Axis, batch: number, side: number, width: number): ScalingPoint => ({
  ...{ axis, batch, image_size: [side, side], width },
  ...{ ms_median: batch * side * side * 0.01, ms_min: batch * side * side * 0.009 },
  ...{ flops: batch * side * side * width * 1e3, attention_flops: batch * side ** 4 },
});

const SCALING: Scaling = {
  ...{ name: 'a & b', model: 'a.json', target: 'software', adapter: 'an adapter', runs: 3 },
  points: [
    ...[1, 2, 4].map((batch) => point('batch', batch, 16, 32)),
    ...[8, 16, 32].map((side) => point('pixels', 1, side, 32)),
    ...[16, 32].map((width) => point('width', 1, 16, width)),
  ],
  skipped: ['pixels 3x3: too small'],
};

test('a panel for each axis, a dot for each point, and how fast time grows', () => {
  const plot = scalingPlot(SCALING);
  expect(plot.match(/<title>/g)).toHaveLength(8);
  for (const text of ['images in a pass', 'pixels of an image', 'channels of the first level', '32x32']) {
    expect(plot).toContain(`>${text}</text>`);
  }
  expect(plot.match(/with the power [\d.]+/g)).toEqual([
    'with the power 1.00',
    'with the power 1.00',
    'with the power 0.00',
  ]);
  expect(plot).toContain('a &amp; b');
  expect(plot).not.toMatch(/NaN|undefined|Infinity/);
});

test('a graph without one width has two panels', () => {
  const two = scalingPlot({ ...SCALING, points: SCALING.points.filter(({ axis }) => axis !== 'width') });
  expect(two).not.toContain('channels of the first level');
  expect(two).not.toMatch(/NaN|undefined|Infinity/);
});

test('as a table, with what was left out', () => {
  expect(scalingTable(SCALING)).toMatch(/pixels\s+1\s+32x32\s+32\s+10\.2/);
  expect(scalingTable(SCALING)).toContain('left out: pixels 3x3: too small');
  expect(scalingTable(SCALING, true)).toContain('- left out');
});
