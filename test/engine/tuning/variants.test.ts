// What is measured for a tuning: every candidate of a convolution behind an upsampling, with the dispatches that it needs.

import { expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { SOFTWARE } from '../../../compiler/target.ts';
import { compileVariants, convolutionsOf } from '../../../engine/tuning/variants.ts';
import { goldenGraph } from '../../golden-cases.ts';

const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');
const { variants } = compileVariants(graph, { target: SOFTWARE });

/** The compilations with what they have of the convolution that reads an upsampled image. */
const upsampled = variants.map((compilation) => {
  const { graph: ops } = compilation.schedule;
  const read = (anchor: number) => ops.nodes[ops.nodes[anchor]!.inputs[0]!]!.op;
  const one = convolutionsOf(compilation).find(({ anchor }) => read(anchor) === 'upsample_nearest')!;
  return one;
});

test('a convolution behind an upsampling is measured by all algorithms', () => {
  const algorithms = new Set(upsampled.map(({ candidate }) => candidate.split(' ')[0]));
  expect(algorithms).toContain('direct');
  expect([...algorithms].some((name) => name?.startsWith('winograd'))).toBe(true);
});

test("one by Winograd's algorithm is charged with the upsampling, which one by taps does on the way", () => {
  for (const { candidate, dispatches } of upsampled) {
    expect(dispatches).toHaveLength(candidate.startsWith('direct') ? 1 : 4);
  }
});

test('every compilation measures every convolution once', () => {
  const anchors = variants.map((one) => convolutionsOf(one).map(({ anchor }) => anchor));
  for (const one of anchors) expect(one).toEqual(anchors[0]);
});
