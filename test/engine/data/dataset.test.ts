// Data as batches: the same from any step, bad files replaced and named, small images, streams that end.

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Batch, checkBatch, type Wanted } from '../../../engine/data/batch.ts';
import type { DataOptions } from '../../../engine/data/data-options.ts';
import type { Dataset } from '../../../engine/data/dataset.ts';
import { batchesBy, openData as openForGraph } from '../../../engine/data/entry.ts';
import { openData } from '../../../engine/data/open-data.ts';
import { createStream } from '../../../engine/data/stream.ts';
import { dequantize } from '../../../runtime/image/pixels.ts';
import { pngFile } from '../../fixtures/png-file.ts';
import { SMALL_GRAPH } from '../../fixtures/small-graph.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const wanted: Wanted = { channels: 1, space: [8, 8], classes: 2, low_res: null, range: 1 };

/** So many grey pictures of one level each, the level its number; even ones are cats. */
function pictures(count: number, bad: readonly number[] = []): string {
  for (let i = 0; i < count; i++) {
    const file = at('set', `${i % 2 === 0 ? 'cat' : 'dog'}_${String(i).padStart(3, '0')}.png`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const content = bad.includes(i)
      ? new TextEncoder().encode('no picture')
      : pngFile({ width: 9, height: 8, type: 0, bits: 8 }, (x) => (x < 4 ? i : 255 - i));
    fs.writeFileSync(file, content);
  }
  return at('set');
}

const options: DataOptions = { workers: 0, seed: 5 };

async function take(data: Dataset, batch: number, from: number, count: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const one of data.steps({ batch, from })) if (batches.push(one) === count) break;
  return batches;
}

async function open<T>(
  place: string,
  more: DataOptions,
  use: (data: Dataset) => Promise<T>,
  model = wanted,
): Promise<T> {
  const data = await openData(place, model, { ...options, ...more });
  try {
    return await use(data);
  } finally {
    await data.close();
  }
}

test('requests that are off are refused by their names, and rows end with the data', async () => {
  await open(pictures(3), {}, async (data) => {
    expect(() => data.steps({ batch: 0 })).toThrow('batch: found 0, expected a whole number from 1 to');
    expect(() => data.rows({ batch: 1, form: 1 } as never)).toThrow("rows: there is no option 'form'");
    expect(() => data.rows({ batch: 1, until: 0.5 })).toThrow('until: found 0.5');
    const counts = [];
    for await (const { samples } of data.rows({ batch: 2, from: 1, until: 9 })) counts.push(samples);
    expect(counts).toEqual([[1, 2]]);
  });
});

describe('steps', () => {
  test('every epoch has every sample once, and the batches from a step on are those of the whole run', async () => {
    const place = pictures(10);
    const whole = await open(place, { flip: true, crop: 'random' }, (data) => take(data, 4, 0, 10));
    const seen = whole.flatMap(({ samples }) => samples!);
    for (let epoch = 0; epoch < 4; epoch++) {
      expect(seen.slice(epoch * 10, epoch * 10 + 10).toSorted((a, b) => a - b)).toEqual([
        ...Array(10).keys(),
      ]);
    }
    const later = await open(place, { flip: true, crop: 'random' }, (data) => take(data, 4, 7, 3));
    expect(later).toEqual(whole.slice(7));
    const other = await open(place, { flip: true, seed: 6 }, (data) => take(data, 4, 0, 1));
    expect(other[0]!.samples).not.toEqual(whole[0]!.samples);
  });

  test('values, shapes and labels are those of the samples', async () => {
    const [batch] = await open(pictures(6), {}, (data) => take(data, 8, 0, 1));
    expect(batch!.x_start.shape).toEqual([8, 1, 8, 8]);
    for (const [slot, sample] of batch!.samples!.entries()) {
      // cats are listed before dogs: samples 0 to 2 are numbers 0, 2, 4
      const number = sample < 3 ? sample * 2 : (sample - 3) * 2 + 1;
      expect(batch!.x_start.data[slot * 64]).toBe(dequantize(number));
      expect(batch!.y![slot]).toBe(number % 2);
    }
    checkBatch(batch!, 8, wanted, 'the batch');
  });

  test('mirrored images are the same images from right to left', async () => {
    const place = pictures(1);
    const batches = await open(place, { flip: true }, (data) => take(data, 16, 0, 1));
    const rows = Array.from({ length: 16 }, (_, slot) => [
      ...batches[0]!.x_start.data.subarray(slot * 64, slot * 64 + 8),
    ]);
    const [plain] = (await open(place, {}, (data) => take(data, 1, 0, 1))).map(({ x_start }) => [
      ...x_start.data.subarray(0, 8),
    ]);
    const kinds = new Set(rows.map((row) => row.join()));
    expect(kinds).toEqual(new Set([plain!.join(), plain!.toReversed().join()]));
  });

  test('a bad file is named once, and another sample of the epoch takes its place', async () => {
    const place = pictures(8, [2, 5]);
    await open(place, {}, async (data) => {
      const run = await take(data, 8, 0, 4);
      const bad = [1, 6];
      for (const { samples } of run) expect(samples!.filter((sample) => bad.includes(sample))).toEqual([]);
      expect(data.skipped().count).toBe(2);
      expect(data.skipped().files).toEqual([
        {
          file: path.join(place, 'cat_002.png'),
          reason: expect.stringContaining('this is no PNG, JPEG or GIF'),
        },
        {
          file: path.join(place, 'dog_005.png'),
          reason: expect.stringContaining('this is no PNG, JPEG or GIF'),
        },
      ]);
      // the places of the good ones stay what they are without bad ones
      const again = await open(place, {}, (fresh) => take(fresh, 8, 2, 2));
      expect(again).toEqual(run.slice(2));
    });
  });

  test('a folder in which nothing can be read is refused when it is opened', async () => {
    await expect(open(pictures(3, [0, 1, 2]), {}, async () => {})).rejects.toThrow(
      /set: none of its 3 pictures can be read:\n {2}.*cat_000\.png: this is no PNG/,
    );
  });

  test('small images are means over areas, of sizes that do not divide, too', async () => {
    const model = { ...wanted, classes: null, low_res: [3, 3] };
    const [batch] = await open(pictures(2), {}, (data) => take(data, 2, 0, 1), model);
    expect(batch!.low_res!.shape).toEqual([2, 1, 3, 3]);
    // rows 0 to 2 (of 8, in three parts) and columns 0 to 2 are all of one level
    expect(batch!.low_res!.data[0]).toBeCloseTo(batch!.x_start.data[0]!, 6);
    const row = batch!.x_start.data.subarray(0, 8);
    // columns 2 to 5 make the middle one
    expect(batch!.low_res!.data[1]).toBeCloseTo((row[2]! + row[3]! + row[4]! + row[5]!) / 4, 6);
  });
});

describe('rows', () => {
  test('are the data in its order, what is bad left out of its batch', async () => {
    await open(pictures(7, [4]), { flip: true, crop: 'random' }, async (data) => {
      const batches: Batch[] = [];
      for await (const batch of data.rows({ batch: 3 })) batches.push(batch);
      expect(batches.map(({ samples }) => samples)).toEqual([[0, 1], [3, 4, 5], [6]]);
      expect(batches.map(({ x_start }) => x_start.shape[0])).toEqual([2, 3, 1]);
      expect(batches.map(({ y }) => [...(y as Int32Array)])).toEqual([[0, 0], [0, 1, 1], [1]]);
      for (const [, { x_start }] of batches.entries())
        expect(x_start.data.length).toBe(x_start.shape[0]! * 64);
      expect(batches[1]!.x_start.data[0]).toBe(dequantize(6));
      const part: (readonly number[])[] = [];
      for await (const { samples } of data.rows({ batch: 2, from: 3, until: 6 })) part.push(samples!);
      expect(part).toEqual([[3, 4], [5]]);
    });
  });
});

describe('what does not fit', () => {
  test.each<[string, Partial<Wanted>, DataOptions, string]>([
    [
      'more classes than the graph has',
      { classes: 1 },
      {},
      'begin with 2 classes ("cat", "dog", …), and the graph has 1',
    ],
    [
      'pictures for one dimension',
      { space: [64], classes: null },
      {},
      'these are pictures, and the graph has 1 dimensions',
    ],
    [
      'pictures for two channels',
      { channels: 2 },
      {},
      'pictures become 1, 3 or 4 channels, and the graph takes 2',
    ],
    ['flips of what is no picture', { space: [64] }, { flip: true }, 'flip: the graph has 1 dimensions'],
    ['labels by a word', {}, { labels: 'x' as 'names' }, "labels: found 'x', expected names or folders"],
    [
      'a colour',
      {},
      { background: 'blueish' },
      "background: found 'blueish', expected a colour such as #ffffff",
    ],
    ['workers', {}, { workers: 1.5 }, 'workers: found 1.5, expected a whole number from 0 to 64'],
    ['a seed', {}, { seed: -1 }, 'seed: found -1'],
  ])('%s', async (_, model, more, message) => {
    await expect(open(pictures(4), more, async () => {}, { ...wanted, ...model })).rejects.toThrow(message);
  });

  test('an empty folder, and one of other files', async () => {
    fs.mkdirSync(at('set'));
    await expect(open(at('set'), {}, async () => {})).rejects.toThrow(
      'the folder has no PNG, JPEG or GIF, no file;',
    );
    fs.writeFileSync(at('set', 'a.webp'), '');
    await expect(open(at('set'), {}, async () => {})).rejects.toThrow('only other files (1 .webp)');
  });

  test('classes that the graph has beyond those of the data, and numbers as names, are noted', async () => {
    const notes = await open(pictures(4), {}, async (data) => data.notes, { ...wanted, classes: 5 });
    expect(notes).toEqual(['the data has 2 classes, and the graph 5: the others are never learned']);
  });

  test('a folder for each class, and labels by names that tell none, is noted', async () => {
    for (const name of ['cats/1.png', 'dogs/2.png']) {
      fs.mkdirSync(path.dirname(at('set', name)), { recursive: true });
      fs.writeFileSync(
        at('set', name),
        pngFile({ width: 8, height: 8, type: 0, bits: 8 }, () => 7),
      );
    }
    const [note] = await open(at('set'), {}, async (data) => data.notes);
    expect(note).toContain('there are 2 folders: take labels from them with --labels folders');
    expect(await open(at('set'), { labels: 'folders' }, async (data) => data.notes)).toEqual([]);
  });
});

describe('streams', () => {
  const batch = (number: number): Batch => ({ x_start: { shape: [1, 1], data: Float32Array.of(number) } });

  test('prepare a bounded number ahead, and keep the order whatever is ready first', async () => {
    let most = 0;
    let under = 0;
    const made: number[] = [];
    const stream = createStream(
      async (number) => {
        most = Math.max(most, ++under);
        await new Promise((resolve) => setTimeout(resolve, number % 2 === 0 ? 12 : 1));
        under--;
        made.push(number);
        return batch(number);
      },
      { ahead: 2, from: 5, until: 12 },
    );
    const got: number[] = [];
    for await (const { x_start } of stream) got.push(x_start.data[0]!);
    expect(got).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(made.indexOf(7)).toBeLessThan(made.indexOf(6));
    expect(most).toBe(3);
  });

  test('the time that was waited is measured from the first batch on', async () => {
    const slow = createStream(
      async (number) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return batch(number);
      },
      { ahead: 0, from: 0 },
    );
    await slow.next();
    expect(slow.waiting().waited).toBe(0);
    for (let i = 0; i < 3; i++) await slow.next();
    const { waited, elapsed } = slow.waiting();
    // each batch was begun when it was asked for, so all of the time is waiting
    expect(waited).toBeGreaterThan(60);
    expect(waited).toBeLessThanOrEqual(elapsed + 1);
    const ready = createStream(async (number) => batch(number), { ahead: 2, from: 0 });
    await ready.next();
    await new Promise((resolve) => setTimeout(resolve, 40));
    await ready.next();
    expect(ready.waiting().waited).toBeLessThan(ready.waiting().elapsed / 2);
    await Promise.all([slow.return(), ready.return()]);
  });

  test('a signal ends them with its reason, and a failure with its error', async () => {
    const stop = new AbortController();
    const stuck = createStream(() => new Promise(() => {}), { ahead: 0, from: 0, signal: stop.signal });
    const waiting = stuck.next();
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    const failing = createStream(
      async (number) => {
        if (number === 1) throw new Error('batch 1 is bad');
        return batch(number);
      },
      { ahead: 3, from: 0 },
    );
    await failing.next();
    await expect(failing.next()).rejects.toThrow('batch 1 is bad');
    expect(await failing.next()).toEqual({ done: true, value: undefined });
  });

  test('a caller makes its own', async () => {
    const source = batchesBy((step, size) => ({
      x_start: { shape: [size, 1], data: new Float32Array(size).fill(step) },
    }));
    const seen: number[] = [];
    for await (const { x_start } of source.steps({ batch: 2, from: 4 })) {
      if (seen.push(x_start.data[1]!) === 3) break;
    }
    expect(seen).toEqual([4, 5, 6]);
  });
});

test('a data set is closed once it is aborted', async () => {
  const stop = new AbortController();
  const data = await openData(pictures(4), wanted, { ...options, signal: stop.signal });
  const stream = data.steps({ batch: 2 });
  await stream.next();
  stop.abort(new Error('enough'));
  await expect(stream.next()).rejects.toThrow('enough');
  await data.close();
});

test('the Node API opens data by a graph', async () => {
  const data = await openForGraph(pictures(3), { graph: SMALL_GRAPH, size: 16, workers: 0 });
  expect(data.classes).toBeNull();
  const { value } = await data.rows({ batch: 3 }).next();
  expect(value!.x_start.shape).toEqual([3, 1, 16, 16]);
  expect(value).not.toHaveProperty('y');
  await data.close();
});

describe("a caller's batch is held to the model", () => {
  const model: Wanted = { channels: 1, space: [2], classes: 3, low_res: [1], range: 1 };
  const good: Batch = {
    x_start: { shape: [2, 1, 2], data: Float32Array.of(0, 1, -1, 0.5) },
    y: [0, 2],
    low_res: { shape: [2, 1, 1], data: Float32Array.of(0, 1) },
  };
  test('what fits', () => checkBatch(good, 2, model, 'the batch of step 3'));
  test.each<[string, Partial<Batch>, Partial<Wanted>, string]>([
    [
      'a shape',
      { x_start: { shape: [2, 2], data: new Float32Array(4) } },
      {},
      'x_start is [2, 2], expected [2, 1, 2]',
    ],
    ['a length', { x_start: { shape: [2, 1, 2], data: new Float32Array(3) } }, {}, 'x_start has 3 values'],
    [
      'a NaN',
      { low_res: { shape: [2, 1, 1], data: Float32Array.of(0, Number.NaN) } },
      {},
      'low_res has NaN at element 1',
    ],
    [
      'a range',
      { x_start: { shape: [2, 1, 2], data: Float32Array.of(0, 2, 0, 0) } },
      {},
      'x_start has 2 at element 1',
    ],
    ['a label', { y: [0, 3] }, {}, 'y[1] is 3; labels are whole numbers below'],
    ['too few labels', { y: [0] }, {}, 'y has 1 labels, expected 2'],
    ['labels for none', {}, { classes: null }, 'y is given, and the model has no classes'],
    [
      'small images for none',
      {},
      { low_res: null },
      'low_res is given, and the model is not for super-resolution',
    ],
  ])('%s', (_, batch, other, message) => {
    expect(() => checkBatch({ ...good, ...batch }, 2, { ...model, ...other }, 'the batch of step 3')).toThrow(
      `the batch of step 3: ${message}`,
    );
  });
});
