// The printed schedules of three models and of a training batch, as goldens, and the counts that are promised.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { printSchedule } from '../../../compiler/schedule/print.ts';
import { GENERIC, SOFTWARE } from '../../../compiler/target.ts';
import { GOLDEN, goldenGraph } from '../../golden-cases.ts';
import { goldenTraining } from '../../training-cases.ts';

const compile = (name: string, options: Parameters<typeof compileGraph>[1] = {}) =>
  compileGraph(loadGraph(goldenGraph(name), name).graph, options);

test.each([
  ['tiny-film', 'schedule.txt', GENERIC],
  ['tiny-film', 'schedule-software.txt', SOFTWARE],
  ['cifar10', 'schedule.txt', GENERIC],
  ['adm/updown', 'schedule.txt', GENERIC],
  ['adm/updown', 'schedule-software.txt', SOFTWARE],
])('%s/%s', (name, file, target) => {
  const url = new URL(`${name}/${file}`, GOLDEN);
  const printed = printSchedule(compile(name, { target }).schedule);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(url, printed);
  expect(printed, 'run again with UPDATE_GOLDEN=1').toBe(readFileSync(url, 'utf8'));
});

test.each([
  ['schedule.txt', GENERIC],
  ['schedule-software.txt', SOFTWARE],
])('a training batch, train/gradients/hybrid/%s', (file, target) => {
  const { graph, batch } = goldenTraining('hybrid');
  const url = new URL(`train/gradients/hybrid/${file}`, GOLDEN);
  const printed = printSchedule(compileGraph(graph, { batch, target, gradients: true }).schedule);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(url, printed);
  expect(printed, 'run again with UPDATE_GOLDEN=1').toBe(readFileSync(url, 'utf8'));
});

test('a step of training is the gradients and what is done with them', () => {
  const { graph, batch } = goldenTraining('hybrid');
  const lines = (options: Parameters<typeof compileGraph>[1]) =>
    printSchedule(compileGraph(graph, { batch, ...options }).schedule).split('\n');
  const alone = lines({ gradients: true });
  const whole = lines({ training: { averages: 2, accumulates: true } });
  expect(whole.slice(0, alone.length - 1)).toEqual(alone.slice(0, -1));
  expect(whole.slice(alone.length - 1)).toMatchInlineSnapshot(`
    [
      "#290 accumulate  126 parameters in 1 arena  1.29 MB  # update",
      "#291 square_sums  126 parameters in 1 arena  1.29 MB  # update",
      "#292 gradient_scale  126 parameters in 1 arena  # update",
      "#293 adamw  moving_averages[2]  126 parameters in 1 arena  1.29 MB  # update",
      "#294 pack_weights  126 parameters in 1 arena  1.29 MB  # update",
      "",
    ]
  `);
});

test('the backward pass stores no norm, FiLM or activation function of an image on GPUs', () => {
  const { graph, batch } = goldenTraining('hybrid');
  const { schedule } = compileGraph(graph, { batch, gradients: true });
  const stored = schedule.groups.filter(
    (group) =>
      group.kind === 'map' &&
      group.prologue.length > 0 &&
      schedule.graph.nodes[group.result]!.type.shape.length > 2,
  );
  expect(stored).toEqual([]);
});

test.each([
  [120, 'where sums are exact and nothing is sliced', { throughput: true, strict: true }],
  [190, 'where nothing is sliced', { throughput: true }],
  [270, 'where small maps are', {}],
] as const)('CIFAR-10 takes at most %i dispatches of at most 40 kernels %s', (most, _, how) => {
  const { bundle } = compile('cifar10', how);
  expect(bundle.manifest.dispatches.length).toBeLessThanOrEqual(most);
  expect(bundle.kernels.size).toBeLessThanOrEqual(40);
});

test('fusion saves more than half of the dispatches, and of the bytes', () => {
  const totals = (fuse: boolean) => {
    const { dispatches } = compile('cifar10', { fuse, strict: true }).bundle.manifest;
    return { dispatches: dispatches.length, bytes: dispatches.reduce((sum, d) => sum + d.bytes, 0) };
  };
  const [fused, unfused] = [totals(true), totals(false)];
  expect(fused.dispatches).toBeLessThan(unfused.dispatches / 2);
  expect(fused.bytes).toBeLessThan(unfused.bytes / 1.5);
});

test('the time projections of all residual blocks are one product', () => {
  const { groups, graph } = compile('cifar10').schedule;
  const linear = groups.filter((group) => group.kind === 'linear');
  expect(linear.map((group) => graph.nodes[group.anchor]!.path)).toEqual([
    'time_embed.0',
    'time_embed.2',
    'time_projections',
  ]);
});

test('kernels of exact sums do not depend on sizes or batch: those of one size run the others', () => {
  const texts = (size: readonly number[], batch: number) => {
    const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film', { size });
    return [...compileGraph(graph, { batch, strict: true }).bundle.kernels.keys()].sort();
  };
  expect(texts([16, 12], 3)).toEqual(texts([16, 16], 1));
});

test('residual blocks that halve and double add no pass but the pooling', () => {
  const { groups, graph } = compile('adm/updown').schedule;
  const resampling = groups.filter(({ result }) =>
    /^(input_blocks\.2|output_blocks\.1\.2)/.test(graph.nodes[result]!.path),
  );
  expect(resampling.map(({ kind }) => kind)).toEqual(['avg_pool', 'conv', 'conv', 'conv', 'conv']);
});
