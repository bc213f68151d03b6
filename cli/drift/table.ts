// A drift in words: where two models part, and a bar for each block on a logarithmic scale.

import type { DriftResult } from '../../engine/drift/drift.ts';
import { type Column, textTable } from '../text-table.ts';

/** The scale of bars and plots: relative errors from here to 1, a step a factor of ten. */
export const DECADES = 8;
const BAR = 24;

const left = (title: string): Column => ({ title, align: 'left' });
const right = (title: string): Column => ({ title, align: 'right' });

/** The report of `unetc drift`. */
export function driftTable(result: DriftResult): string {
  const { a, b, blocks, unmatched, batch, image_size } = result;
  const rows = blocks.map(({ path, shape, relative_l2, largest }) => [
    path === result.first?.path ? `> ${path}` : `  ${path}`,
    shape.join('x'),
    scientific(relative_l2),
    scientific(largest),
    bar(relative_l2),
  ]);
  const only =
    unmatched.length === 0 ? '' : `not compared, only in one or in another shape: ${unmatched.join(', ')}\n`;
  return [
    `A ${a.model}, weights ${a.weights}, on ${a.adapter}`,
    `B ${b.model}, weights ${b.weights}, on ${b.adapter}`,
    `${batch === 1 ? '1 image' : `${batch} images`} of ${image_size.join('x')}`,
    '',
    `${textTable([left('  block'), left('shape'), right('relative L2'), right('largest'), left(`1e-${DECADES} to 1`)], rows)}${only}`,
    `${verdict(result)}\n`,
  ].join('\n');
}

/** Where they part, in a sentence. */
export function verdict({ first, tolerance }: Pick<DriftResult, 'first' | 'tolerance'>): string {
  if (first === null) return `No block differs by more than ${scientific(tolerance)}.`;
  const { path, relative_l2, layers } = first;
  const how = relative_l2 === null ? 'in values that are not finite' : `by ${scientific(relative_l2)}`;
  const why = layers.map((one) => `${one.path}: ${one.a ?? 'nothing'} in A, ${one.b ?? 'nothing'} in B`);
  const cause = why.length === 0 ? 'its layers are the same in both graphs' : why.join('; ');
  return `They first differ in ${path}, ${how}: ${cause}.`;
}

/** 0, or two digits and an exponent. */
export function scientific(value: number | null): string {
  if (value === null) return 'not finite';
  return value === 0 ? '0' : value.toExponential(1);
}

/** From 0 at 1e-8 and below to 1 at 1 and above. */
export function onScale(value: number | null): number {
  if (value === null) return 1;
  return value === 0 ? 0 : Math.max(0, Math.min(1, 1 + Math.log10(value) / DECADES));
}

function bar(value: number | null): string {
  const eighths = Math.round(onScale(value) * BAR * 8);
  const rest = ' ▏▎▍▌▋▊▉'[eighths % 8]!;
  return ('█'.repeat(Math.floor(eighths / 8)) + rest).trimEnd();
}
