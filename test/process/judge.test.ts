// Another WebGPU in another language judges what Dawn runs: wgpu and naga, as Deno has them. `npm run test:judge` is the long
// form.

import { expect, test } from 'vitest';
import { GENERIC, SOFTWARE } from '../../compiler/target.ts';
import { openDevice } from '../../runtime/host/node/dawn.ts';
import { askDeno, hasDeno } from '../checks/judge/ask-deno.ts';
import { judgedCases } from '../checks/judge/cases.ts';
import { compareCases } from '../checks/judge/compare-cases.ts';
import type { Question } from '../checks/judge/deno/kernels.ts';
import { foreignKernels, lacksTheFeatureAlone } from '../checks/judge/foreign.ts';
import { judgedGraphs } from '../checks/judge/graphs.ts';
import { type JudgedKernel, kernelsOf } from '../checks/judge/kernels.ts';
import { type Refusal, told } from '../checks/judge/verdict.ts';

/** Compilers take their time on a machine that has seen none of the kernels. */
const timeout = 900_000;

const refusedOf = (kernels: readonly JudgedKernel[]) =>
  askDeno<Question, readonly Refusal[]>('kernels', { kernels, pipelines: false });

test.skipIf(!hasDeno)(
  'naga takes every kernel of every published and golden bundle for any GPU',
  { timeout },
  async () => {
    const kernels = kernelsOf(judgedGraphs(), GENERIC);
    expect(kernels.length).toBeGreaterThan(300);
    expect((await refusedOf(kernels)).map(told)).toEqual([]);
  },
);

test.skipIf(!hasDeno)(
  'what naga refuses is told with its kernel, its bundle and its line',
  { timeout },
  async () => {
    const [, tiny] = [...judgedGraphs()].filter(({ name }) => name === 'tiny-1d' || name === 'tiny-film');
    const kernels = kernelsOf([tiny!], GENERIC);
    const conv = kernels.find(({ file }) => file.startsWith('conv_gemm'))!;
    const lines = conv.text.split('\n');
    const at = lines.findIndex((line) => line.includes('@compute'));
    const broken = { ...conv, text: lines.with(at, `const wrong: u32 = -1;\n${lines[at]}`).join('\n') };
    const [refused, ...others] = await refusedOf([...kernels, broken]);
    expect(others).toEqual([]);
    expect(refused).toMatchObject({ file: conv.file, line: at + 1 });
    expect(told(refused!)).toContain(`${conv.file}, line ${at + 1} (of ${tiny!.name}, f32, generic):\n`);

    const { subgroups } = foreignKernels(kernelsOf([tiny!], SOFTWARE));
    const read = await refusedOf(subgroups);
    expect(read).toHaveLength(subgroups.length);
    expect(read.filter((one) => !lacksTheFeatureAlone(one)).map(told)).toEqual([]);
  },
);

test.skipIf(!hasDeno)('wgpu gives the bits that Dawn gives', { timeout }, async ({ skip }) => {
  const opened = await openDevice();
  if (!opened.adapter.description.includes('llvmpipe')) {
    await opened.close();
    return skip('bits are compared on lavapipe, where compilers contract and reorder nothing');
  }
  const cases = judgedCases().filter(({ name }) => name === 'tiny-1d f32');
  const compared = await compareCases(cases, opened);
  await opened.close();
  expect(compared).toMatchObject([{ name: 'tiny-1d f32', outputs: 10, differing: [] }]);
});
