// A profile in words: every dispatch by its time, the kernels' totals, the pass as a whole.

import type { Profile } from '../../engine/profile/measure.ts';
import type { Cost, DispatchProfile } from '../../engine/profile/profile.ts';
import { type Column, short, textTable } from '../text-table.ts';

const right = (title: string): Column => ({ title, align: 'right' });
const left = (title: string): Column => ({ title, align: 'left' });

const COST = [right('ms'), right('%'), right('GFLOP/s'), right('GB/s'), right('roof')];

/** Columns of a terminal that every row fits in. */
const COLUMNS = 80;

export interface TableOptions {
  /** How many of the longest dispatches are listed. */
  readonly top: number;
  /** Whole lines of the schedule, however long. */
  readonly wide: boolean;
}

/** The report. */
export function profileTable(profile: Profile, { top, wide }: TableOptions): string {
  const { name, batch, image_size, target, precision, adapter, runs, peaks, dispatches, kernels } = profile;
  const longest = dispatches.toSorted((a, b) => b.ms - a.ms).slice(0, top);
  const hidden = dispatches.length - longest.length;
  const { expected } = profile;
  const rows = longest.map((one) => [
    String(one.index),
    ...costCells(one),
    ...(expected ? [expectedCell(one)] : []),
  ]);
  const columns = [right('#'), ...COST, ...(expected ? [right('expected')] : [])];
  const room = COLUMNS - widthOf(columns, rows);
  const whats = longest.map((one) => (wide ? oneLine(one.group, one.path) : whatOf(one, room)));
  const totals = kernels.map((one) => [
    one.kernel,
    String(one.dispatches),
    String(one.pipelines),
    ...costCells(one),
  ]);
  const whole = ['all', String(dispatches.length), String(pipelines(profile)), ...costCells(profile.total)];
  const listed = rows.map((row, i) => [...row, whats[i]!]);
  return [
    `${name}: ${batch === 1 ? '1 image' : `${batch} images`} of ${image_size.join('x')}, ${precision}, target ${target}`,
    ...wrapped(`on ${adapter}`),
    `medians of ${runs} runs; peaks (${peaks.source}): ${short(peaks.gflops_per_s)} GFLOP/s, ${short(peaks.gb_per_s)} GB/s`,
    '',
    textTable([...columns, left(wide ? 'group' : 'kernel and layer')], listed) +
      (hidden > 0 ? `... and ${hidden} more\n` : ''),
    textTable([left('kernel'), right('runs'), right('variants'), ...COST], [...totals, whole]),
    ...passLines(profile),
    ...(expected
      ? [
          `on ${expected.title} the model expects ${expected.ms.toFixed(3)} ms where ${profile.gpu_ms.toFixed(3)} were measured`,
        ]
      : []),
    '',
  ].join('\n');
}

/** Where the time of whole passes goes: parts that add up, in as many digits as the whole has. */
function passLines(profile: Profile): readonly string[] {
  const { timed, pass_ms, dispatches, plain_flops, total } = profile;
  const digits = timed.ms < 1 ? 3 : timed.ms < 10 ? 2 : 1;
  const [inside, between, outside] = [timed.dispatches_ms, timed.between_ms, timed.outside_ms].map((ms) =>
    Number(ms.toFixed(digits)),
  ) as [number, number, number];
  const ms = (value: number) => `${value.toFixed(digits)} ms`;
  const saved = plain_flops - total.flops;
  return [
    `a pass with timestamps takes ${ms(inside + between + outside)}:`,
    `  ${ms(inside)} in ${dispatches.length} dispatches`,
    `  ${ms(between)} between them (barriers, the timestamps themselves)`,
    `  ${ms(outside)} before and behind them (upload, submission, readback)`,
    `without timestamps it takes ${ms(pass_ms)} (one compute pass, time path recalled)`,
    ...(saved > 0
      ? [
          `Winograd's algorithm computes ${giga(total.flops)} GFLOP where the plain sum has ${giga(plain_flops)}`,
        ]
      : []),
  ];
}

function giga(flops: number): string {
  return short(flops / 1e9);
}

/** What rows of these columns take with the space behind them. */
function widthOf(columns: readonly Column[], rows: readonly (readonly string[])[]): number {
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  return widths.reduce((sum, width) => sum + width + 2, 0);
}

/** The kernel, and of the layer's path as much of its end as there is room for. */
function whatOf({ kernel, path }: DispatchProfile, room: number): string {
  const name = kernel.replace(/_subgroup$/, '');
  const left = Math.max(8, room - name.length - 1);
  return `${name} ${path.length <= left ? path : `…${path.slice(1 - left)}`}`;
}

/** A text in lines that fit, broken at spaces. */
function wrapped(text: string): readonly string[] {
  return text.split(' ').reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : `  ${word}`);
    return lines;
  }, []);
}

function expectedCell({ expected_ms }: DispatchProfile): string {
  return expected_ms === undefined ? '-' : expected_ms.toFixed(3);
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
