// A tuning in words: what each group takes and what is fastest, and what a re-tune changed.

import { sum } from '../../engine/statistics.ts';
import type { TuneResult } from '../../engine/tuning/tune.ts';
import { type Column, textTable } from '../text-table.ts';

const right = (title: string): Column => ({ title, align: 'right' });
const left = (title: string): Column => ({ title, align: 'left' });

const COLUMNS = [
  left('group'),
  right('count'),
  left('chosen before'),
  right('us'),
  left('fastest now'),
  right('us'),
  right('gain'),
];

export function tuningTable({ target, adapter, runs, output, groups, changes }: TuneResult): string {
  const rows = groups.map((one) => [
    one.key,
    String(one.count),
    one.before,
    one.before_us.toFixed(1),
    one.fastest === one.before ? 'the same' : one.fastest,
    one.fastest_us.toFixed(1),
    gain(one.before_us, one.fastest_us),
  ]);
  const before = sum(groups.map(({ count, before_us }) => count * before_us));
  const after = sum(groups.map(({ count, fastest_us }) => count * fastest_us));
  return [
    `target ${target} on ${adapter}; the least of ${runs} runs`,
    '',
    textTable(COLUMNS, rows),
    `all convolutions: ${ms(before)} ms as chosen before, ${ms(after)} ms by the fastest (${gain(before, after)})`,
    ...(output === null ? [] : [`written to ${output}${changes === null ? '' : changeList(changes)}`]),
    '',
  ].join('\n');
}

function changeList(changes: NonNullable<TuneResult['changes']>): string {
  if (changes.length === 0) return '; every choice stays as it was';
  const lines = changes.map(({ key, from, to }) => `  ${key}: ${from ?? 'new'} -> ${to}`);
  return `; ${changes.length} ${changes.length === 1 ? 'choice' : 'choices'} changed:\n${lines.join('\n')}`;
}

function gain(before: number, after: number): string {
  return `${(before / after).toFixed(2)}x`;
}

function ms(microseconds: number): string {
  return (microseconds / 1000).toFixed(1);
}
