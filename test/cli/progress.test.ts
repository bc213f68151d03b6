import { expect, test } from 'vitest';
import { createProgress, formatDuration } from '../../cli/progress.ts';
import { recordingContext } from '../recording-context.ts';

/** A clock that the test moves. */
function stopwatch() {
  let time = 1000;
  return {
    now: () => time,
    pass: (seconds: number) => {
      time += 1000 * seconds;
    },
  };
}

test('plain lines come at tenths, with rate and time left', () => {
  const context = recordingContext();
  const clock = stopwatch();
  const progress = createProgress(context, { label: 'sampling', unit: 'steps', total: 50, now: clock.now });
  clock.pass(10); // warming up is not part of the rate
  for (let done = 1; done <= 50; done++) {
    progress.update(done);
    clock.pass(0.25);
  }
  progress.finish();
  const lines = context.printed.stderr.split('\n');
  expect(lines).toHaveLength(11);
  expect(lines[0]).toBe('sampling:  10%  5/50 steps  4.0 steps/s  0:11 left');
  expect(lines[4]).toBe('sampling:  50%  25/50 steps  4.0 steps/s  0:06 left');
  expect(lines[9]).toBe('sampling: 100%  50/50 steps  4.0 steps/s  0:22');
  expect(lines[10]).toBe('');
});

test('a total below ten prints one line each, a jump one line', () => {
  const context = recordingContext();
  const progress = createProgress(context, { label: 'x', unit: 'parts', total: 3 });
  for (const done of [1, 1, 2, 3, 3]) progress.update(done);
  expect(context.printed.stderr.match(/\n/g)).toHaveLength(3);
  const other = recordingContext();
  createProgress(other, { label: 'x', unit: 'parts', total: 100 }).update(95);
  expect(other.printed.stderr).toMatch(/^x: {2}95% {2}95\/100 parts.*\n$/);
});

test('slow units are told in seconds each', () => {
  const context = recordingContext();
  const clock = stopwatch();
  const progress = createProgress(context, { label: 'sampling', unit: 'steps', total: 2, now: clock.now });
  clock.pass(4);
  progress.update(1);
  expect(context.printed.stderr).toBe('sampling:  50%  1/2 steps  4.0 s a step  0:04 left\n');
});

test('a terminal gets one line that is drawn over, not too often, and cleared at the end', () => {
  const context = recordingContext({ interactive: true });
  const clock = stopwatch();
  const progress = createProgress(context, { label: 'sampling', unit: 'steps', total: 1000, now: clock.now });
  for (let done = 1; done <= 1000; done++) {
    clock.pass(0.001);
    progress.update(done);
  }
  const frames = context.printed.stderr.split('\r\u001b[K').slice(1);
  expect(frames.length).toBeGreaterThan(8);
  expect(frames.length).toBeLessThan(15);
  expect(context.printed.stderr).not.toContain('\n');
  expect(frames[0]).toMatch(/^sampling ░{24} {3}0% {2}0\/1000 steps$/);
  expect(frames.at(-1)).toMatch(/^sampling █{24} 100% {2}1000\/1000 steps {2}1000 steps\/s {2}0:01$/);
  for (const frame of frames) expect(frame.length).toBeLessThan(80);
  progress.finish();
  expect(context.printed.stderr.endsWith('\r\u001b[K')).toBe(true);
});

test('quiet prints nothing', () => {
  for (const interactive of [true, false]) {
    const context = recordingContext({ interactive });
    const progress = createProgress(context, { label: 'x', unit: 'steps', total: 5, quiet: true });
    progress.update(5);
    progress.finish();
    expect(context.printed.stderr).toBe('');
  }
});

test('durations', () => {
  expect([0, 5.4, 59.6, 754, 3600, 36_123].map(formatDuration)).toEqual([
    '0:00',
    '0:05',
    '1:00',
    '12:34',
    '1:00:00',
    '10:02:03',
  ]);
});
