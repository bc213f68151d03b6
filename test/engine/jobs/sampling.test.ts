import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobHostOf } from '../../../cli/sample-progress.ts';
import { parseJob, type SampleWords } from '../../../cli/words/sample.ts';
import { type OpenModel, runSampling, type SampleResult } from '../../../engine/jobs/run.ts';
import type { BadKernel } from '../../../runtime/bad-kernel.ts';
import { decodePng, encodePng } from '../../../runtime/host/node/png.ts';
import type { Denoiser } from '../../../runtime/sampler/denoiser.ts';
import { INITIAL_STEP, normalNoise } from '../../../runtime/sampler/noise.ts';
import { readTensors } from '../../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { recordingContext } from '../../recording-context.ts';
import { fakeOpener, type Opened, runFake, sampleWords } from '../../sampling-run.ts';

let folder: string;
let out: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sampling-'));
  out = path.join(folder, 'out');
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const words = (more: Partial<SampleWords>): SampleWords => sampleWords(out, more);

function run(more: Partial<SampleWords>, open: OpenModel = fakeOpener().open): Promise<SampleResult> {
  return runFake(words(more), open);
}

function save(
  name: string,
  tensors: Record<string, { shape: number[]; data: Float32Array | BigInt64Array }>,
): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, writeTensors(new Map(Object.entries(tensors))));
  return file;
}

function savePng(name: string, channels: 1 | 3, width: number, height: number, value: number): string {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  // Colour that cannot be taken for grey.
  const data = new Uint8Array(channels * width * height).map(
    (_, i) => (value + (channels === 3 ? i % 3 : 0)) % 256,
  );
  fs.writeFileSync(file, encodePng({ width, height, channels, data }));
  return file;
}

function readSamples(): { shape: readonly number[]; data: Float32Array } {
  const file = path.join(out, 'samples.safetensors');
  const samples = readTensors(fs.readFileSync(file), { kind: 'input', label: file }).get('samples')!;
  return { shape: samples.shape, data: samples.data as Float32Array };
}

describe('outputs', () => {
  test('a PNG a seed and a contact sheet, and a result that lists them', async () => {
    const { open, opened } = fakeOpener();
    const result = await run({ seeds: '12,3', sampler: 'ddim' }, open);
    const names = ['000012.png', '000003.png', 'contact-sheet.png'];
    expect(result.files).toEqual(names.map((name) => path.join(out, name)));
    expect(fs.readdirSync(out).sort()).toEqual([...names, 'manifest.json'].toSorted());
    expect(result).toMatchObject({
      samples: 2,
      sampler: 'ddim',
      eta: 0,
      steps: 4,
      batch: 2,
      adapter: 'no adapter',
    });
    expect(opened.closed).toBe(true);
  });

  test('the same PNG bytes at any batch', async () => {
    await run({ seeds: '0-4', batch: '1' });
    const first = fs.readdirSync(out).map((name) => fs.readFileSync(path.join(out, name)));
    expect(await run({ seeds: '0-4', batch: '3', resume: false })).toMatchObject({ resumed: 0 });
    expect(fs.readdirSync(out).map((name) => fs.readFileSync(path.join(out, name)))).toEqual(first);
  });

  test('one safetensors file, in [-1, 1]', async () => {
    const result = await run({ seeds: '0-2', format: 'safetensors' });
    expect(result.files).toEqual([path.join(out, 'samples.safetensors')]);
    const { shape, data } = readSamples();
    expect(shape).toEqual([3, 3, 4, 6]);
    expect(data.every((value) => Math.abs(value) <= 1)).toBe(true);
  });

  test('samples are spread evenly over the fewest passes, unless a batch is asked for', async () => {
    const batchOf = async (more: Partial<SampleWords>) => (await run({ ...more, resume: false })).batch;
    expect(await batchOf({ seeds: '0-9' })).toBe(5);
    expect(await batchOf({ seeds: '0-7' })).toBe(8);
    expect(await batchOf({ seeds: '0-16' })).toBe(6);
    expect(await batchOf({ seeds: '0-9', batch: '4' })).toBe(4);
  });

  test('a folder that cannot be written to is told before the model is opened', async () => {
    fs.writeFileSync(out, 'a file');
    const { open, opened } = fakeOpener();
    await expect(run({ seeds: '0' }, open)).rejects.toMatchObject({ kind: 'output' });
    expect(opened.model).toBeUndefined();
  });
});

describe('labels', () => {
  test('are cycled over the samples', async () => {
    const { open, opened } = fakeOpener({ num_classes: 10 });
    await run({ seeds: '0-4', class: '7,2', batch: '5' }, open);
    expect(opened.model!.passes[0]!.y).toEqual([7, 2, 7, 2, 7]);
  });

  test.each([
    [{ num_classes: 10 }, {}, 'the model has 10 classes; give a label, 0 to 9, with class'],
    [{ num_classes: 10 }, { class: '3,10' }, 'sample 1 (seed 1): label 10 is out of range'],
    [{}, { class: '3' }, 'the model has no classes'],
  ])('that do not fit are refused before anything is written', async (face, more, message) => {
    const { open, opened } = fakeOpener(face);
    const failed = run({ seeds: '0-3', ...more }, open);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toMatchObject({ kind: 'input' });
    expect(fs.existsSync(out)).toBe(false);
    expect(opened.model!.passes).toHaveLength(0);
  });
});

describe('noise from a file', () => {
  const noise = { shape: [2, 3, 4, 6], data: new Float32Array(144) };
  noise.data.set(normalNoise(0, INITIAL_STEP, 72));
  noise.data.set(normalNoise(1, INITIAL_STEP, 72), 72);

  test('is where the chains start: the noise of seeds gives the samples of these seeds', async () => {
    await run({ seeds: '0-1', format: 'safetensors' });
    const ofSeeds = readSamples();
    await run({ noise: save('in.safetensors', { noise }), format: 'safetensors', resume: false });
    expect(readSamples()).toEqual(ofSeeds);
  });

  test('comes with labels and images, and other tensors are left alone', async () => {
    const { open, opened } = fakeOpener({ num_classes: 10, low_res_size: [2, 3] });
    const y = { shape: [2], data: BigInt64Array.from([4n, 9n]) };
    const low_res = { shape: [2, 3, 2, 3], data: new Float32Array(36).fill(0.25) };
    const file = save('in.safetensors', { noise, y, low_res, ddim50: noise });
    await run({ noise: file, batch: '2' }, open);
    expect(opened.model!.passes[0]!.y).toEqual([4, 9]);
    expect(opened.model!.passes[0]!.low_res!.data).toEqual(low_res.data);
  });

  test.each<[string, Record<string, { shape: number[]; data: Float32Array }>, Partial<SampleWords>, string]>([
    ['no noise', { x: noise }, {}, 'there is no tensor noise, only x'],
    ['another shape', { noise: { ...noise, shape: [2, 3, 6, 4] } }, {}, 'noise is [3, 6, 4] a sample'],
    ['none', { noise: { shape: [0, 3, 4, 6], data: new Float32Array(0) } }, {}, 'noise has no samples'],
    [
      'labels that are too few',
      { noise, y: { shape: [1], data: new Float32Array(1) } },
      {},
      'y is [1], and noise',
    ],
    [
      'labels twice',
      { noise, y: { shape: [2], data: new Float32Array(2) } },
      { class: '1' },
      'leave out class',
    ],
  ])('%s is refused', async (_, tensors, more, message) => {
    const failed = run({ noise: save('in.safetensors', tensors), ...more });
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toThrow('in.safetensors');
    await expect(failed).rejects.toMatchObject({ kind: 'input' });
    expect(fs.existsSync(out)).toBe(false);
  });
});

describe('low-resolution images', () => {
  const face = { low_res_size: [2, 3] };
  const lowOf = (opened: Opened, k: number): Float32Array =>
    opened.model!.passes[0]!.low_res!.data.slice(k * 18, (k + 1) * 18);

  test('one PNG is given to every sample', async () => {
    const { open, opened } = fakeOpener(face);
    await run({ seeds: '0-1', lowRes: savePng('low.png', 1, 3, 2, 255) }, open);
    expect(opened.model!.passes[0]!.low_res!.shape).toEqual([2, 3, 2, 3]);
    expect(lowOf(opened, 1)).toEqual(new Float32Array(18).fill(1));
  });

  test('a folder gives a sample each, in the order of the names, without its contact sheet', async () => {
    savePng('small/000001.png', 1, 3, 2, 0);
    savePng('small/000000.png', 1, 3, 2, 255);
    savePng('small/contact-sheet.png', 3, 30, 20, 9);
    const { open, opened } = fakeOpener(face);
    const result = await run({ lowRes: path.join(folder, 'small') }, open);
    expect(result.samples).toBe(2);
    expect([lowOf(opened, 0)[0], lowOf(opened, 1)[0]]).toEqual([1, -1]);
  });

  test('a folder goes round more seeds than it has images, when it comes out even', async () => {
    for (const [i, value] of [0, 255].entries()) savePng(`small/${i}.png`, 1, 3, 2, value);
    const { open, opened } = fakeOpener(face);
    const lowRes = path.join(folder, 'small');
    await run({ seeds: '10-13', lowRes }, open);
    expect([0, 1, 2, 3].map((k) => lowOf(opened, k)[0])).toEqual([-1, 1, -1, 1]);
    await expect(run({ seeds: '10-12', lowRes }, open)).rejects.toThrow(
      '2 images do not go round 3 samples evenly; make a multiple of 2 samples',
    );
  });

  test('a run that finds its samples there leaves the bytes of the one that made them', async () => {
    const lowRes = savePng('low.png', 1, 3, 2, 255);
    await run({ seeds: '0-1', lowRes }, fakeOpener(face).open);
    const manifest = () => fs.readFileSync(path.join(out, 'manifest.json'), 'utf8');
    const first = manifest();
    expect(await run({ seeds: '0-1', lowRes }, fakeOpener(face).open)).toMatchObject({ resumed: 2 });
    expect(manifest()).toBe(first);
  });

  test('a safetensors file gives its low_res', async () => {
    const low_res = { shape: [2, 3, 2, 3], data: new Float32Array(36).fill(0.5, 18) };
    const { open, opened } = fakeOpener(face);
    await run({ lowRes: save('low.safetensors', { low_res }) }, open);
    expect(lowOf(opened, 1)).toEqual(new Float32Array(18).fill(0.5));
  });

  test('names of a folder are in the order in which people count, and hidden files are left out', async () => {
    for (const [i, name] of ['1', '2', '10'].entries()) savePng(`small/${name}.png`, 1, 3, 2, i);
    for (const name of ['.hidden.png', '._000.png'])
      fs.writeFileSync(path.join(folder, 'small', name), 'no PNG');
    const { open, opened } = fakeOpener({ ...face, batch: 3 });
    const small = path.join(folder, 'small');
    await run({ lowRes: small, batch: '3' }, open);
    expect([0, 1, 2].map((k) => Math.round((lowOf(opened, k)[0]! + 1) * 127.5))).toEqual([0, 1, 2]);
    const manifest = JSON.parse(fs.readFileSync(path.join(out, 'manifest.json'), 'utf8'));
    expect(manifest.samples.map((sample: { low_res: string }) => sample.low_res)).toEqual(
      ['1.png', '2.png', '10.png'].map((name) => path.join(small, name)),
    );
  });

  test('what sample --format npz wrote is read, with its labels', async () => {
    const small = { in_channels: 3, out_channels: 3, image_size: [2, 3], num_classes: 10 };
    const made = path.join(folder, 'made');
    const drawn = fakeOpener(small);
    await runFake({ ...words({ seeds: '0-2', class: '7,1,4', format: 'npz' }), output: made }, drawn.open);
    const lowRes = path.join(made, 'samples.npz');
    const { open, opened } = fakeOpener({ ...face, num_classes: 10 });
    const { samples } = await run({ lowRes, batch: '3' }, open);
    expect(samples).toBe(3);
    const manifest = JSON.parse(fs.readFileSync(path.join(out, 'manifest.json'), 'utf8'));
    expect(manifest.samples.map(({ label }: { label: number }) => label)).toEqual([7, 1, 4]);
    expect(manifest.samples[2].low_res).toBe(`${lowRes}[2]`);

    // the same pictures as PNGs
    fs.rmSync(made, { recursive: true });
    await runFake({ ...words({ seeds: '0-2', class: '7,1,4' }), output: made }, fakeOpener(small).open);
    const again = fakeOpener({ ...face, num_classes: 10 });
    await runFake({ ...words({ lowRes: made, class: '7,1,4', batch: '3' }), output: `${out}2` }, again.open);
    expect(again.opened.model!.passes[0]!.low_res!.data).toEqual(opened.model!.passes[0]!.low_res!.data);

    // the labels of the call go before those of the file, and a model without classes takes none
    fs.rmSync(made, { recursive: true });
    await runFake(
      { ...words({ seeds: '0-2', class: '7', format: 'npz' }), output: made },
      fakeOpener(small).open,
    );
    await runFake(
      { ...words({ lowRes, class: '3' }), output: `${out}3` },
      fakeOpener({ ...face, num_classes: 10 }).open,
    );
    const third = JSON.parse(fs.readFileSync(path.join(`${out}3`, 'manifest.json'), 'utf8'));
    expect(third.samples[0].label).toBe(3);
    await runFake({ ...words({ lowRes }), output: `${out}4` }, fakeOpener(face).open);
    const fourth = JSON.parse(fs.readFileSync(path.join(`${out}4`, 'manifest.json'), 'utf8'));
    expect(fourth.samples[0]).not.toHaveProperty('label');
  });

  test('of another size, colour or kind are refused with what was found and what is needed', async () => {
    const failed = (lowRes: string, size: Partial<Denoiser> = face) =>
      run({ seeds: '0', lowRes }, fakeOpener(size).open);
    await expect(failed(savePng('big.png', 3, 4, 4, 9))).rejects.toThrow(
      'big.png: the image is [3, 4, 4] a sample, and the model takes [3, 2, 3]',
    );
    await expect(
      failed(savePng('colour.png', 3, 3, 2, 9), { ...face, in_channels: 1, out_channels: 1 }),
    ).rejects.toThrow('colour.png: the picture is coloured, and the model takes grey');
    await expect(failed(savePng('low.png', 1, 3, 2, 0), {})).rejects.toThrow('not for super-resolution');
    await expect(failed(path.join(folder, 'low.jpg'))).rejects.toThrow('are a .png, a folder of them, or');
    await expect(failed(path.join(folder, 'gone.png'))).rejects.toThrow('there is no such file');
    fs.mkdirSync(path.join(folder, 'empty'));
    await expect(failed(path.join(folder, 'empty'))).rejects.toThrow('the folder holds no PNG');
    expect(fs.existsSync(out)).toBe(false);
  });
});

test('steps that the process does not have are refused with those it has', async () => {
  await expect(run({ seeds: '0', steps: '101' })).rejects.toMatchObject({ kind: 'input' });
  await expect(run({ seeds: '0', steps: 'ddim60' })).rejects.toThrow('use ddim50 or ddim100');
});

test('a model that breaks down leaves no picture of it, and is closed', async () => {
  const { open, opened } = fakeOpener({}, (output) => output.fill(Number.NaN));
  await expect(run({ seeds: '0' }, open)).rejects.toMatchObject({ kind: 'gpu' });
  expect(fs.existsSync(out)).toBe(false);
  expect(opened.closed).toBe(true);
});

test('an interrupted run keeps what was finished', async () => {
  const controller = new AbortController();
  let steps = 0;
  const { open, opened } = fakeOpener({}, () => {
    if (++steps === 6) controller.abort(new Error('interrupted'));
  });
  const context = recordingContext({ signal: controller.signal });
  const job = parseJob('graph.json', words({ seeds: '0-2', batch: '1' }));
  await expect(runSampling(job, jobHostOf(context, 'auto'), open)).rejects.toThrow('interrupted');
  expect(fs.readdirSync(out)).toEqual(['.unetc', '000000.png']);
  expect(opened.closed).toBe(true);
});

test('progress is counted in steps of all batches', async () => {
  const context = recordingContext();
  const job = parseJob('graph.json', words({ seeds: '0-4', batch: '2' }));
  await runSampling(job, jobHostOf(context, 'auto'), fakeOpener().open);
  expect(context.printed.stderr).toContain('100%  12/12 steps');
  expect(context.printed.stdout).toBe('');
  const quiet = recordingContext();
  await runSampling({ ...job, resume: false }, jobHostOf(quiet, 'none'), fakeOpener().open);
  expect(quiet.printed.stderr).toBe('');
});

test('--debug-nan says what a run without a GPU cannot find', async () => {
  const { open } = fakeOpener({}, (output) => output.fill(Number.NaN));
  await expect(run({ seeds: '0', debugNan: true }, open)).rejects.toThrow('without a GPU there are none');
});

describe('a value that is not finite in a model of float16', () => {
  /** What a run says; `found` is what a look into the kernels finds. */
  async function told(words: Partial<SampleWords>, found: BadKernel | null): Promise<string> {
    const { open } = fakeOpener({}, (output) => output.fill(Number.NaN));
    const halved: typeof open = async (...asked) => ({
      ...(await open(...asked)),
      precision: 'f16',
      findBadKernel: async () => found,
    });
    const error = await run({ seeds: '0', ...words }, halved).catch((caught) => caught);
    expect(error).toMatchObject({ kind: 'gpu' });
    return error.message;
  }
  const wider = 'float16 ends at 65504: what overflows there float32 computes';

  test('may be one that float32 has', async () => {
    expect(await told({ precision: 'f16' }, null)).toMatch(new RegExp(`\\n${wider}, precision f32$`));
    expect(await told({}, null)).toMatch(new RegExp(`${wider}, compile the graph again with precision f32$`));
  });

  test('is one that float32 has where a kernel stored an infinity, and not where it made a NaN', async () => {
    const overflown = await told({ debugNan: true }, { told: 'dispatch 3 of 9', overflow: true });
    expect(overflown).toContain(`\nthe first kernel that made one: dispatch 3 of 9\n${wider}`);
    const bad = await told({ debugNan: true }, { told: 'dispatch 3 of 9', overflow: false });
    expect(bad).toMatch(/\nthe first kernel that made one: dispatch 3 of 9$/);
  });
});

test('samples are written smaller, and a factor that does not divide them is refused', async () => {
  await run({ seeds: '0', downscale: '2' });
  const file = path.join(out, '000000.png');
  const { width, height } = decodePng(fs.readFileSync(file), { kind: 'input', label: file });
  expect([width, height]).toEqual([3, 2]);
  await expect(run({ seeds: '0', downscale: '3', resume: false })).rejects.toThrow(
    'use a factor of all sizes',
  );
});
