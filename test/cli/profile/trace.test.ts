import { expect, test } from 'vitest';
import { traceOf } from '../../../cli/profile/trace.ts';
import { PROFILE } from '../../fixtures/profile.ts';

interface Event {
  readonly name: string;
  readonly ph: string;
  readonly cat?: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly tid?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

// Beyond what a double holds: differences must be taken before.
const CLOCK = 2n ** 60n;
const timeline = [
  { begin: CLOCK + 1000n, end: CLOCK + 9000n },
  { begin: CLOCK + 9000n, end: CLOCK + 11500n },
  { begin: CLOCK + 12000n, end: CLOCK + 12000n },
];
const { traceEvents } = JSON.parse(traceOf(PROFILE, timeline)) as { traceEvents: Event[] };
const of = (cat: string) => traceEvents.filter((event) => event.cat === cat);

test('dispatches begin at 0 and last microseconds', () => {
  expect(of('dispatch').map(({ name, ph, ts, dur }) => [name, ph, ts, dur])).toEqual([
    ['conv_gemm', 'X', 0, 8],
    ['map', 'X', 8, 2.5],
    ['conv_gemm', 'X', 11, 0],
  ]);
  expect(of('dispatch')[0]?.args).toMatchObject({ path: 'input_blocks.0.0', flops: 4e8, median_ms: 8 });
});

test('blocks span their dispatches, on a track of their own', () => {
  expect(of('block').map(({ name, ts, dur }) => [name, ts, dur])).toEqual([
    ['input_blocks.0', 0, 10.5],
    ['middle_block', 11, 0],
  ]);
  expect(of('block')[0]?.tid).not.toBe(of('dispatch')[0]?.tid);
});

test('process and tracks have names', () => {
  const names = traceEvents.filter(({ ph }) => ph === 'M').map(({ args }) => args?.name);
  expect(names).toEqual(['mine, batch 2, a & b', 'blocks', 'dispatches']);
});
