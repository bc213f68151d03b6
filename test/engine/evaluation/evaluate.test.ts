// Evaluations on the reference executor: the recorded bound, what does not change a bit of it, and folders that are stopped,
// gone on with, damaged and put together.

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type EvaluateOptions, evaluate, openData } from '../../../engine/api.ts';
import { mergeBounds } from '../../../engine/evaluation/merge.ts';
import { encodePng } from '../../../runtime/host/node/png.ts';
import { asFloat32, readTensors } from '../../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import {
  BOUND_FILE,
  BOUND_NAMES,
  BOUND_STEPS,
  BOUND_WEIGHTS,
  boundGraph,
  recordedBound,
  worstError,
} from '../../bound-case.ts';
import { SMALL_GRAPH } from '../../fixtures/small-graph.ts';
import { noise32 } from '../../fixtures/values.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();

/** Five images for the small graph. */
function data(name = 'd.safetensors', seed = 1): string {
  const x = Float32Array.from(noise32([5, 1, 4, 4], seed).data, Math.tanh);
  fs.writeFileSync(at(name), writeTensors(new Map([['x_start', { shape: [5, 1, 4, 4], data: x }]])));
  return at(name);
}

const run = (options: Partial<EvaluateOptions> = {}) =>
  evaluate(SMALL_GRAPH, {
    ...{ weights: 'hash:1', reference: true, size: 4, steps: '6', batch: 4, data: at('d.safetensors') },
    ...options,
  });

/** Files that a folder of results has, with their bytes. */
function filesOf(folder: string): Record<string, string> {
  const names = fs.readdirSync(at(folder), { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => fs.statSync(at(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, fs.readFileSync(at(folder, name)).toString('hex')]));
}

/** A run that is stopped once so many terms are there. */
async function stopAt(terms: number, options: Partial<EvaluateOptions>): Promise<void> {
  const controller = new AbortController();
  const stopped = run({
    ...options,
    signal: controller.signal,
    onProgress: (done) => {
      if (done >= terms) controller.abort(new Error('interrupted'));
    },
  });
  await expect(stopped).rejects.toThrow('interrupted');
}

test('agrees with the original, with its noise', async () => {
  const { bounds, timesteps } = await evaluate(boundGraph(), {
    ...{ weights: BOUND_WEIGHTS, data: BOUND_FILE, noise: BOUND_FILE, steps: BOUND_STEPS, reference: true },
  });
  for (const name of BOUND_NAMES)
    expect(worstError(bounds[name], recordedBound(name)), name).toBeLessThan(1e-5);
  expect(timesteps.length).toBe(20);
  expect(timesteps[0]).toBe(999);
  expect(timesteps.at(-1)).toBe(0);
});

describe('no bit of the bound changes', () => {
  test('with the batch, the shard and the number of images', async () => {
    data();
    const { bounds } = await run();
    const others = await Promise.all([
      run({ batch: 1 }),
      run({ limit: 3 }),
      run({ shard: { index: 1, count: 2 } }),
    ]);
    expect(others[0].bounds).toEqual(bounds);
    expect(others[1].bounds.total_bpd).toEqual(bounds.total_bpd.slice(0, 3));
    expect(others[2].bounds.vb).toEqual(bounds.vb.slice(2 * 6));
    expect(others[2].images.map(({ sample }) => sample)).toEqual([2, 3, 4]);
  });

  test('by steps that are left out: noise belongs to an image and a timestep', async () => {
    data();
    const more = await run({ steps: '11' });
    const { bounds, timesteps } = await run({ steps: '6' });
    const column = (all: readonly number[], t: number) => all.indexOf(t);
    const last = timesteps.at(-1)!;
    // the squared error of the image depends on no other step
    expect(more.bounds.xstart_mse[column(more.timesteps, last)]).toBe(
      bounds.xstart_mse[column(timesteps, last)],
    );
  });

  test('unless the seed does', async () => {
    data();
    const [a, b] = await Promise.all([run(), run({ seed: 1 })]);
    expect(a.bounds.prior_bpd).toEqual(b.bounds.prior_bpd);
    expect(a.bounds.total_bpd).not.toEqual(b.bounds.total_bpd);
  });
});

test('the total is the sum of the terms and the prior, the means those of images', async () => {
  data();
  const { bounds, means, images } = await run();
  const sum = bounds.vb.slice(0, 6).reduce((a, b) => a + b, 0) + bounds.prior_bpd[0]!;
  expect(bounds.total_bpd[0]).toBeCloseTo(sum, 4);
  expect(means.total_bpd).toBeCloseTo(bounds.total_bpd.reduce((a, b) => a + b, 0) / 5, 6);
  expect(images[4]).toEqual({ sample: 4, name: 'x_start[4]' });
  expect(images).toHaveLength(5);
});

describe('a folder', () => {
  test('gets bounds, means by step and a manifest, and nothing else', async () => {
    data();
    const { bounds, files } = await run({ output: at('out') });
    expect(files.map((file) => path.basename(file))).toEqual([
      'bounds.safetensors',
      'terms.csv',
      'manifest.json',
    ]);
    expect(Object.keys(filesOf('out')).sort()).toEqual(['bounds.safetensors', 'manifest.json', 'terms.csv']);
    const origin = { kind: 'input', label: 'bounds' } as const;
    const written = readTensors(fs.readFileSync(at('out/bounds.safetensors')), origin);
    for (const name of BOUND_NAMES)
      expect(Float32Array.from(asFloat32(written.get(name)!).data)).toEqual(bounds[name]);
    expect(written.get('vb')!.shape).toEqual([5, 6]);
    const table = fs.readFileSync(at('out/terms.csv'), 'utf8').trim().split('\n');
    expect(table[0]).toBe('index,timestep,vb,xstart_mse,mse');
    expect(table).toHaveLength(7);
    expect(table[1]).toMatch(/^5,999,/);
  });

  test('that was stopped is gone on with to the same bytes, whatever the batch', async () => {
    data();
    await run({ output: at('whole') });
    await stopAt(8, { output: at('stopped') });
    await stopAt(4, { output: at('stopped'), batch: 3 });
    expect(fs.existsSync(at('stopped/.unetc/job/terms.bin'))).toBe(true);
    let computed = 0;
    const { resumed } = await run({
      output: at('stopped'),
      batch: 2,
      onProgress: (_, total) => {
        computed = total;
      },
    });
    expect(computed).toBeLessThan(30 - 8 - 3);
    expect(resumed).toBeGreaterThan(0);
    expect(resumed).toBeLessThan(5);
    expect(filesOf('stopped')).toEqual(filesOf('whole'));
  });

  test('whose records a kill broke off, or a disk changed, is computed anew there alone', async () => {
    data();
    await run({ output: at('whole') });
    await stopAt(12, { output: at('stopped') });
    const file = at('stopped/.unetc/job/terms.bin');
    const bytes = fs.readFileSync(file);
    for (let record = 0; record < 8; record++) {
      const other = Buffer.from(bytes.subarray(0, bytes.length - 7));
      other[24 * record + 9]! ^= 1;
      fs.cpSync(at('stopped'), at('damaged'), { recursive: true });
      fs.writeFileSync(at('damaged/.unetc/job/terms.bin'), other);
      await run({ output: at('damaged') });
      expect(filesOf('damaged')).toEqual(filesOf('whole'));
      fs.rmSync(at('damaged'), { recursive: true });
    }
  });

  test('that has ended computes nothing, and what was damaged since again', async () => {
    data();
    await run({ output: at('out') });
    const before = filesOf('out');
    expect(await run({ output: at('out') })).toMatchObject({ resumed: 5, terms_per_second: 0 });
    expect(filesOf('out')).toEqual(before);
    fs.appendFileSync(at('out/bounds.safetensors'), 'x');
    expect(await run({ output: at('out') })).toMatchObject({ resumed: 0 });
    expect(filesOf('out')).toEqual(before);
  });

  test.each<[string, Partial<EvaluateOptions>, string]>([
    ['steps', { steps: '5' }, 'steps: there 6, here 5'],
    ['seed', { seed: 3 }, 'seed: there 0, here 3'],
    ['weights', { weights: 'hash:2' }, 'weights: there hash:1, here hash:2'],
    ['clipping', { clip: false }, 'clip: there yes, here no'],
    ['number of images', { limit: 4 }, 'samples: there 5, here 4'],
  ])('of another job is refused, and taken with resume: false: another %s', async (_, other, says) => {
    data();
    await run({ output: at('out') });
    await expect(run({ output: at('out'), ...other })).rejects.toThrow(says);
    await run({ output: at('out'), ...other, resume: false });
    await run({ output: at('anew'), ...other });
    expect(filesOf('out')).toEqual(filesOf('anew'));
  });

  test('of other data is refused, and an image that changes under a run', async () => {
    data();
    await run({ output: at('out') });
    data('other.safetensors', 2);
    await expect(run({ output: at('out'), data: at('other.safetensors') })).rejects.toThrow('data: there');
    // the digest of the data looks at a few images alone: one that it does not see is told when its terms are gone on with
    const images = (value: number) => {
      const data = Float32Array.from({ length: 20 * 16 }, (_, i) => (i === 16 ? value : 0.5));
      fs.writeFileSync(
        at('ten.safetensors'),
        writeTensors(new Map([['x_start', { shape: [20, 1, 4, 4], data }]])),
      );
    };
    images(0.1);
    await stopAt(8, { output: at('stopped'), data: at('ten.safetensors') });
    images(0.2);
    const again = run({ output: at('stopped'), data: at('ten.safetensors') });
    await expect(again).rejects.toThrow(
      'x_start[1]: the image has changed since its first terms were computed',
    );
  });

  test('of samples is left alone', async () => {
    data();
    fs.mkdirSync(at('out'));
    fs.writeFileSync(at('out/manifest.json'), '{"format":"unetc-samples"}');
    for (const resume of [true, false]) {
      await expect(run({ output: at('out'), resume })).rejects.toThrow('no manifest of an evaluation');
    }
    expect(fs.readFileSync(at('out/manifest.json'), 'utf8')).toBe('{"format":"unetc-samples"}');
  });

  test('is not written through a link', async () => {
    data();
    fs.mkdirSync(at('out'));
    fs.writeFileSync(at('victim'), 'mine');
    fs.symlinkSync(at('victim'), at('out/bounds.safetensors'));
    await expect(run({ output: at('out') })).rejects.toThrow('this is a link');
    expect(fs.readFileSync(at('victim'), 'utf8')).toBe('mine');
  });

  test('that two processes would write to is held by one', async () => {
    data();
    const first = run({ output: at('out') });
    await expect(Promise.all([first, run({ output: at('out') })])).rejects.toThrow('is writing there');
    await first;
  });
});

describe('parts', () => {
  const shards = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        run({ shard: { index, count }, output: at('parts', `${index}`) }),
      ),
    );

  test('are put together to the bytes of the whole', async () => {
    data();
    const { means } = await run({ output: at('whole') });
    await shards(3);
    const merged = mergeBounds([at('parts')], at('all'));
    expect(merged).toMatchObject({ samples: 5, missing: [], faults: [], skipped: [] });
    expect(merged.means).toEqual(means);
    for (const name of ['bounds.safetensors', 'terms.csv'])
      expect(fs.readFileSync(at('all', name))).toEqual(fs.readFileSync(at('whole', name)));
  });

  test('that are missing, there twice, damaged or of another job are named', async () => {
    data();
    await shards(3);
    fs.rmSync(at('parts/1'), { recursive: true });
    expect(mergeBounds([at('parts')], at('all'))).toMatchObject({
      missing: [{ shard: '1/3', samples: '1-2' }],
      files: [],
      means: null,
    });
    fs.cpSync(at('parts/0'), at('parts/again'), { recursive: true });
    fs.appendFileSync(at('parts/2/bounds-2-of-3.safetensors'), 'x');
    await run({ shard: { index: 1, count: 3 }, output: at('parts/1'), seed: 9 });
    const { faults } = mergeBounds([at('parts')], null);
    expect(faults.join('\n')).toMatch(/image 0 is there twice/);
    expect(faults.join('\n')).toMatch(/other bytes than its manifest says/);
    expect(faults.join('\n')).toMatch(/of another job than .*seed: first 0, then 9/);
    expect(fs.existsSync(at('all'))).toBe(false);
  });
});

describe('pictures', () => {
  const picture = (value: number) =>
    encodePng({ width: 4, height: 4, channels: 1, data: new Uint8Array(16).fill(value) });

  test('that cannot be read are left out and named', async () => {
    fs.mkdirSync(at('photos'));
    for (const [name, content] of [
      ['a.png', picture(9)],
      ['b.png', 'no picture'],
      ['c.png', picture(200)],
    ] as const)
      fs.writeFileSync(at('photos', name), content);
    const { images, skipped, bounds } = await run({ data: at('photos'), output: at('out'), workers: 0 });
    expect(images.map(({ name }) => name)).toEqual(['a.png', 'c.png']);
    expect(skipped.map(({ sample, name }) => [sample, name])).toEqual([[1, 'b.png']]);
    expect(bounds.total_bpd).toHaveLength(2);
    expect(mergeBounds([at('out')], null)).toMatchObject({ samples: 2, missing: [], faults: [] });
    fs.rmSync(at('photos/b.png'));
    const others = await run({ data: at('photos'), workers: 0 });
    expect(others.bounds.prior_bpd).toEqual(bounds.prior_bpd);
  });
});

test('takes a dataset that is open, and leaves it so', async () => {
  const file = data();
  const set = await openData(file, { graph: SMALL_GRAPH, size: 4 });
  const { bounds } = await run();
  expect((await run({ data: set })).bounds).toEqual(bounds);
  expect((await run({ data: set, limit: 1 })).images).toHaveLength(1);
  const other = await openData(data('big.safetensors'), { graph: SMALL_GRAPH, size: 4 });
  await expect(run({ data: other, size: 8 })).rejects.toThrow(
    'x_start is [5, 1, 4, 4], expected [5, 1, 8, 8]',
  );
  await Promise.all([set.close(), other.close()]);
});

test('says what float16 and another range of values mean for the numbers', async () => {
  data();
  expect((await run({ precision: 'f16' })).notes.join()).toContain('float16');
  const wide = { ...JSON.parse(SMALL_GRAPH), diffusion: { steps: 100, clip_range: 3 } };
  const { notes } = await evaluate(wide, {
    ...{ weights: 'hash:1', reference: true, size: 4, steps: '4', data: at('d.safetensors') },
  });
  expect(notes.join()).toContain('clip_range is 3');
});

test.each<[string, object, string]>([
  ['no data', { data: undefined }, 'data: evaluate needs it'],
  ['data that is none', { data: 5 }, 'data: found 5, expected a path, or a dataset'],
  ['an option that is none', { step: '5' }, "evaluate: there is no option 'step'; did you mean steps?"],
  [
    'a shard beyond the last',
    { shard: { index: 2, count: 2 } },
    'shard: found an object, expected { index, count }',
  ],
  ['a limit of 0', { limit: 0 }, 'limit: found 0, expected a whole number above 0'],
  ['seed and noise', { seed: 1, noise: 'n' }, 'seed and noise both say'],
  ['a seed of -1', { seed: -1 }, 'seed: found -1'],
  ['resume without a folder', { resume: false }, 'resume: false begins a folder anew'],
  ['labels that are none', { labels: 'x' }, "labels: found 'x'"],
  ['taps', { taps: true }, "there is no option 'taps'"],
])('refuses %s', async (_, options, says) => {
  data();
  await expect(run(options)).rejects.toThrow(says);
});

describe('noise from a file', () => {
  const write = (changes: Record<string, { shape: readonly number[]; data: Float32Array | Int32Array }>) => {
    const row = () => ({ shape: [5, 1, 4, 4], data: Float32Array.from(noise32([5, 1, 4, 4], 4).data) });
    const all = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`noise.${i}`, row()]));
    fs.writeFileSync(at('n.safetensors'), writeTensors(new Map(Object.entries({ ...all, ...changes }))));
    return run({ noise: at('n.safetensors') });
  };

  test('is taken by the image and the step', async () => {
    data();
    const [a, b] = [await write({}), await write({})];
    expect(a.bounds).toEqual(b.bounds);
    const other = { shape: [5, 1, 4, 4], data: new Float32Array(80) };
    const { bounds } = await write({ 'noise.2': other });
    expect(bounds.vb.map((value, i) => Number(value !== a.bounds.vb[i]))).toEqual(
      Float32Array.from({ length: 30 }, (_, i) => Number(i % 6 === 3)),
    );
  });

  test.each<[string, Parameters<typeof write>[0], string]>([
    [
      'of another size',
      { 'noise.3': { shape: [5, 1, 4, 5], data: new Float32Array(100) } },
      'noise.3: it is [5, 1, 4, 5], expected [5, 1, 4, 4]',
    ],
    [
      'of too few images',
      { 'noise.0': { shape: [4, 1, 4, 4], data: new Float32Array(64) } },
      'noise.0: it is [4, 1, 4, 4]',
    ],
    [
      'of whole numbers',
      { 'noise.1': { shape: [5, 1, 4, 4], data: new Int32Array(80) } },
      'noise.1: it is of type I32',
    ],
    [
      'that is infinite',
      { 'noise.5': { shape: [5, 1, 4, 4], data: new Float32Array(80).fill(Infinity) } },
      'row 0 has Infinity at element 0',
    ],
  ])('is refused %s', async (_, changes, says) => {
    data();
    await expect(write(changes)).rejects.toThrow(says);
  });

  test('is refused where steps are missing', async () => {
    data();
    await write({});
    await expect(run({ noise: at('n.safetensors'), steps: '8' })).rejects.toThrow(
      'noise.6, noise.7 are missing',
    );
  });
});
