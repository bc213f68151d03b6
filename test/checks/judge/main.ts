// `npm run test:judge [-- --only kernels|cases] [--names REGEXP]`: another WebGPU in another language, wgpu and naga as Deno has them, judges every
// kernel and computes the golden cases. On one adapter it must give the bits that Dawn gives.

import { GENERIC, NVIDIA, SOFTWARE } from '../../../compiler/target.ts';
import { openDevice } from '../../../runtime/host/node/dawn.ts';
import { CheckUsage, readOptions } from '../options.ts';
import { askDeno, hasDeno } from './ask-deno.ts';
import { judgedCases } from './cases.ts';
import { type Compared, compareCases } from './compare-cases.ts';
import type { Question } from './deno/kernels.ts';
import { foreignKernels, lacksTheFeatureAlone } from './foreign.ts';
import { judgedGraphs } from './graphs.ts';
import { type JudgedKernel, kernelsOf } from './kernels.ts';
import { type Refusal, told } from './verdict.ts';

/** The check by its words; gives the exit code. */
export async function check(words: readonly string[]): Promise<number> {
  const { only, names } = readOptions(words, { only: '', names: '' });
  if (!['', 'kernels', 'cases'].includes(only)) {
    throw new CheckUsage(`--only: found '${only}', expected kernels or cases`);
  }
  if (!hasDeno) {
    console.log(
      'there is no Deno here: npm ci installs it with the other packages, where it is built for the platform',
    );
    return 1;
  }
  const start = performance.now();
  const faults = [
    ...(only === 'cases' ? [] : await judgeKernels(new RegExp(names))),
    ...(only === 'kernels' ? [] : await judgeCases(new RegExp(names))),
  ];
  for (const fault of faults) console.log(`\n${fault}`);
  console.log(`${Math.round((performance.now() - start) / 1000)} s: ${faults.length} failures`);
  return faults.length === 0 ? 0 : 1;
}

/** Every kernel of every target, of the graphs whose names match; what is wrong, in words. */
async function judgeKernels(names: RegExp): Promise<readonly string[]> {
  const graphs = [...judgedGraphs()].filter(({ name }) => names.test(name));
  const generic = kernelsOf(graphs, GENERIC);
  const refused = [...(await ask(generic, true))];
  console.log(`generic: ${generic.length} kernels, modules and pipelines, ${refused.length} refused`);
  for (const target of [SOFTWARE, NVIDIA]) {
    const known = new Set(generic.map(({ text }) => text));
    const others = kernelsOf(graphs, target).filter(({ text }) => !known.has(text));
    const { whole, subgroups, matrices } = foreignKernels(others);
    refused.push(...(await ask(whole, true)));
    const read = await ask(subgroups, false);
    refused.push(...read.filter((one) => !lacksTheFeatureAlone(one)));
    const counts = `${whole.length} judged, ${subgroups.length} of subgroups read, ${matrices.length} of matrices unread`;
    console.log(`${target.name}: ${others.length} further kernels: ${counts}`);
  }
  return refused.map(told);
}

function ask(kernels: readonly JudgedKernel[], pipelines: boolean): Promise<readonly Refusal[]> {
  return askDeno<Question, readonly Refusal[]>('kernels', { kernels, pipelines });
}

/** The golden cases whose names match, one after the other on both; what is wrong, in words. */
async function judgeCases(names: RegExp): Promise<readonly string[]> {
  const faults: string[] = [];
  const opened = await openDevice();
  for (const one of judgedCases().filter(({ name }) => names.test(name))) {
    const [{ name, outputs, differing, seconds }] = (await compareCases([one], opened)) as [Compared];
    const times = seconds.map((each) => `${each.toFixed(1)} s`).join(' on Dawn, ');
    console.log(`${name}: ${outputs} outputs, ${differing.length} differ; ${times} in Deno`);
    if (differing.length > 0) faults.push(`${name}: other bits in ${differing.join(', ')}`);
  }
  await opened.close();
  return faults;
}
