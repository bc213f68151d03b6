// Golden cases on one host's device, one after the other.

import type { AdapterDescription } from '../../../runtime/adapter.ts';
import type { OpenedDevice } from '../../../runtime/opened-device.ts';
import type { Digests, JudgedCase } from './cases.ts';

export interface RanCases {
  readonly adapter: AdapterDescription;
  readonly results: readonly {
    readonly name: string;
    readonly outputs: Digests;
    readonly seconds: number;
  }[];
}

export async function runCases(cases: Iterable<JudgedCase>, opened: OpenedDevice): Promise<RanCases> {
  const results: RanCases['results'][number][] = [];
  for (const { name, run } of cases) {
    const start = performance.now();
    const outputs = await run(opened);
    results.push({ name, outputs, seconds: (performance.now() - start) / 1000 });
  }
  return { adapter: opened.adapter, results };
}
