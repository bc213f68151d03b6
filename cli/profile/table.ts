// A profile in words: every dispatch by its time, the kernels' totals, the pass as a whole.

import type { Profile } from '../../engine/profile/measure.ts';
import type { Cost } from '../../engine/profile/profile.ts';
import { type Column, short, textTable } from '../text-table.ts';

const right = (title: string): Column => ({ title, align: 'right' });
const left = (title: string): Column => ({ title, align: 'left' });

const COST = [right('ms'), right('%'), right('GFLOP/s'), right('GB/s'), right('roofline')];

/** The report; of the dispatches the `top` longest. */
export function profileTable(profile: Profile, top: number): string {
  const { name, batch, image_size, target, adapter, runs, peaks, dispatches, kernels } = profile;
  const longest = dispatches.toSorted((a, b) => b.ms - a.ms).slice(0, top);
  const hidden = dispatches.length - longest.length;
  const rows = longest.map((one) => [String(one.index), ...costCells(one), oneLine(one.group, one.path)]);
  const totals = kernels.map((one) => [
    one.kernel,
    String(one.dispatches),
    String(one.pipelines),
    ...costCells(one),
  ]);
  const whole = ['all', String(dispatches.length), String(pipelines(profile)), ...costCells(profile.total)];
  return [
    `${name}: ${batch === 1 ? '1 image' : `${batch} images`} of ${image_size.join('x')}, target ${target}`,
    `on ${adapter}; medians of ${runs} runs`,
    `peaks (${peaks.source}): ${short(peaks.gflops_per_s)} GFLOP/s, ${short(peaks.gb_per_s)} GB/s`,
    '',
    textTable([right('#'), ...COST, left('group')], rows) + (hidden > 0 ? `... and ${hidden} more\n` : ''),
    textTable([left('kernel'), right('dispatches'), right('pipelines'), ...COST], [...totals, whole]),
    `a pass takes ${short(profile.pass_ms)} ms with upload and readback, ${short(profile.gpu_ms)} ms of it in dispatches\n`,
  ].join('\n');
}

function costCells({ ms, share, gflops_per_s, gb_per_s, roofline }: Cost): readonly string[] {
  const percent = roofline === null ? '-' : `${(100 * roofline).toFixed(0)}%`;
  return [ms.toFixed(3), (100 * share).toFixed(1), short(gflops_per_s), short(gb_per_s), percent];
}

/** The schedule's line, which ends in the path already where it has one. */
function oneLine(group: string, path: string): string {
  return group.includes(path) ? group : `${group}  # ${path}`;
}

function pipelines({ kernels }: Profile): number {
  return kernels.reduce((sum, one) => sum + one.pipelines, 0);
}
