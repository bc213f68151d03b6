// Run by Deno: kernels as JSON on stdin, what its WebGPU (wgpu, with naga) refuses of them as JSON on stdout. Each is asked
// about on a device with the features of its bundle and the limits that every WebGPU grants.

import process from 'node:process';
import { json } from 'node:stream/consumers';
import { openWebDevice } from '../../../../runtime/host/web/device.ts';
import type { JudgedKernel } from '../kernels.ts';
import { type Refusal, refusals } from '../verdict.ts';

export interface Question {
  readonly kernels: readonly JudgedKernel[];
  /** Whether pipelines are made of the modules, too. */
  readonly pipelines: boolean;
}

const { kernels, pipelines } = (await json(process.stdin)) as Question;
const refused: Refusal[] = [];
for (const asked of new Set(kernels.map(({ features }) => JSON.stringify(features)))) {
  const requires = { features: JSON.parse(asked), limits: {} };
  const opened = await openWebDevice({ requires });
  const group = kernels.filter(({ features }) => JSON.stringify(features) === asked);
  refused.push(...(await refusals(group, opened, pipelines)));
  await opened.close();
}
process.stdout.write(JSON.stringify(refused));
