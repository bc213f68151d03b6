import { expect, test } from 'vitest';
import { watchSamples } from '../../cli/sample-progress.ts';
import { recordingContext } from '../recording-context.ts';
import { fakeOpener, runFake, sampleWords } from '../sampling-run.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

test('a JSON document a line says what is done and how long the rest takes', async () => {
  const context = recordingContext();
  const words = sampleWords(at('out'), { seeds: '0-2', batch: '2', progress: 'json' });
  await runFake(words, fakeOpener().open, context);
  const events = context.printed.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events[0]).toEqual({ event: 'start', samples: 3, resumed: 0, steps: 8 });
  expect(events.filter(({ event }) => event === 'sample').map(({ seed }) => seed)).toEqual([0, 1, 2]);
  expect(events.findLast(({ event }) => event === 'step')).toMatchObject({
    done: 8,
    total: 8,
    batch: 2,
    step: 4,
    steps: 4,
    seconds_left: 0,
  });
  expect(context.printed.stdout).toBe('');
});

test('steps that come fast are not all told, but the last one is', () => {
  const context = recordingContext();
  const reporter = watchSamples('json', { total: 1000, samples: 1, resumed: 0 }, context);
  const at = { batch: 1, batches: 1, steps: 1000, total: 1000, chains: () => [], guesses: () => [] };
  for (let done = 1; done <= 1000; done++) reporter.step({ ...at, step: done, done });
  const lines = context.printed.stderr.trim().split('\n');
  expect(lines.length).toBeLessThan(20);
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({ done: 1000 });
});
