// The host's part of a pass in words: layouts converted by the host beside layouts converted by the adapter.

import type { HostTime } from '../../engine/profile/host-time.ts';
import { textTable } from '../text-table.ts';

/** The report of `unetc profile --host`. */
export function hostTimeTable({ layouts, ...time }: HostTime): string {
  const { name, batch, image_size, target, precision, dispatches, runs } = time;
  const images = batch === 1 ? '1 image' : `${batch} images`;
  const rows = layouts.map(({ converted_by, ms, ms_min, cpu_ms }) => [
    `layouts converted by the ${converted_by}`,
    ...[ms, ms_min, cpu_ms].map((value) => value.toFixed(2)),
  ]);
  const columns = ['median ms', 'least ms', 'cpu ms'].map((title) => ({ title, align: 'right' as const }));
  return [
    `${name}: ${images} of ${image_size.join('x')}, ${precision}, target ${target}`,
    `the host's part of a pass of ${dispatches} dispatches, ${runs} runs on a backend that computes nothing`,
    '',
    textTable([{ title: '', align: 'left' }, ...columns], rows),
  ].join('\n');
}
