import { describe, expect, test } from 'vitest';
import { RuntimeError } from '../../../runtime/errors.ts';
import type { Model } from '../../../runtime/model.ts';
import type { ChainState } from '../../../runtime/sampler/chain.ts';
import type { Denoiser } from '../../../runtime/sampler/denoiser.ts';
import { INITIAL_STEP, normalNoise } from '../../../runtime/sampler/noise.ts';
import {
  DIFFUSION_DEFAULTS,
  type DiffusionSettings,
  diffusionProcess,
} from '../../../runtime/sampler/process.ts';
import type { SampleRequest } from '../../../runtime/sampler/request.ts';
import { type Sample, type SampleOptions, type StepReport, sample } from '../../../runtime/sampler/sample.ts';
import { fakeModel } from '../../fake-model.ts';

const SETTINGS: DiffusionSettings = {
  ...DIFFUSION_DEFAULTS,
  steps: 100,
  noise_schedule: 'cosine',
  predict: 'epsilon',
  variance: 'fixed_large',
  rescale_timesteps: true,
};
const STEPS = 5;
const OPTIONS: SampleOptions = { process: diffusionProcess(SETTINGS, `${STEPS}`), sampler: { kind: 'ddpm' } };
const seeds = (...list: readonly number[]): SampleRequest[] => list.map((seed) => ({ seed }));

async function collect(samples: AsyncIterable<Sample>): Promise<Sample[]> {
  const list: Sample[] = [];
  for await (const one of samples) list.push(one);
  return list;
}

async function drawAll(
  requests: readonly SampleRequest[],
  changes: Partial<Denoiser> = {},
  options: Partial<SampleOptions> = {},
): Promise<Sample[]> {
  return collect(sample(fakeModel(changes), requests, { ...OPTIONS, ...options }));
}

describe('a sample depends on its request alone', () => {
  const labelled = [11, 3, 8, 5, 2 ** 40].map((seed, i) => ({ seed, label: i % 4 }));
  const model = { num_classes: 4 };

  test.each([{ kind: 'ddpm' }, { kind: 'ddim', eta: 0 }, { kind: 'ddim', eta: 0.7 }] as const)(
    'whatever the batch, with %o',
    async (sampler) => {
      const alone = await drawAll(labelled, model, { sampler });
      for (const batch of [2, 3, 5, 8]) {
        expect(await drawAll(labelled, { ...model, batch }, { sampler })).toEqual(alone);
      }
    },
  );

  test('whatever the order', async () => {
    const forward = await drawAll(labelled, { ...model, batch: 2 });
    const backward = await drawAll(labelled.toReversed(), { ...model, batch: 2 });
    expect(backward.map(({ image }) => image)).toEqual(forward.map(({ image }) => image).toReversed());
  });

  test('and on all of it: seed, label, start and low-resolution image', async () => {
    const low_res = new Float32Array(3 * 2 * 3);
    const face = { num_classes: 4, low_res_size: [2, 3] };
    const base: SampleRequest = { seed: 1, label: 2, low_res };
    const variants: SampleRequest[] = [
      base,
      { ...base, seed: 2 },
      { ...base, label: 3 },
      { ...base, low_res: low_res.map(() => 0.5) },
      { ...base, noise: normalNoise(9, INITIAL_STEP, 72) },
    ];
    const images = (await drawAll(variants, face)).map(({ image }) => image.data.join());
    expect(new Set(images).size).toBe(variants.length);
  });
});

test('the noise of a seed is what its chain starts from', async () => {
  const started = await drawAll([{ seed: 7, noise: normalNoise(7, INITIAL_STEP, 72) }]);
  expect(started[0]!.image).toEqual((await drawAll(seeds(7)))[0]!.image);
});

test('the model is fed the timesteps of the process, from noise to image, and padded rows repeat the last', async () => {
  const model = fakeModel({ batch: 4, num_classes: 10 });
  const requests = [5, 6, 7].map((seed) => ({ seed, label: seed }));
  await collect(sample(model, requests, OPTIONS));
  expect(model.passes.map(({ timesteps }) => timesteps)).toEqual(
    OPTIONS.process.model_timesteps.toReversed().map((t) => [t, t, t, t]),
  );
  expect(OPTIONS.process.model_timesteps).toEqual([0, 250, 500, 740, 990]);
  for (const { y, x } of model.passes) {
    expect(y).toEqual([5, 6, 7, 7]);
    expect(x.shape).toEqual([4, 3, 4, 6]);
  }
  const [first] = model.passes;
  expect(first!.x.data.slice(72, 144)).toEqual(normalNoise(6, INITIAL_STEP, 72));
});

test('samples come in order, in the shape of an image, and each step is reported', async () => {
  const reports: StepReport[] = [];
  const found = await drawAll(seeds(4, 1, 9), { batch: 2 }, { onStep: (report) => reports.push(report) });
  expect(found.map(({ request, position }) => [request.seed, position])).toEqual([
    [4, 0],
    [1, 1],
    [9, 2],
  ]);
  for (const { image } of found) {
    expect(image.shape).toEqual([3, 4, 6]);
    expect(image.data).toHaveLength(72);
    expect(image.data.every((value) => Math.abs(value) <= 1)).toBe(true);
  }
  expect(reports).toHaveLength(2 * STEPS);
  const total = 2 * STEPS;
  expect(reports[0]).toMatchObject({ batch: 1, batches: 2, step: 1, steps: STEPS, done: 1, total });
  expect(reports.at(-1)).toMatchObject({
    batch: 2,
    batches: 2,
    step: STEPS,
    steps: STEPS,
    done: total,
    total,
  });
});

test('a learned variance is read from the second half of the channels', async () => {
  const settings: DiffusionSettings = { ...SETTINGS, variance: 'learned_range' };
  const options = { process: diffusionProcess(settings, '5') };
  const [learned] = await drawAll(seeds(1), { out_channels: 6 }, options);
  const [fixed] = await drawAll(seeds(1));
  expect(learned!.image.shape).toEqual([3, 4, 6]);
  expect(learned!.image.data).not.toEqual(fixed!.image.data);
});

describe('an aborted signal', () => {
  test('stops before the next step with its reason', async () => {
    const controller = new AbortController();
    const model = fakeModel();
    const onStep = ({ step }: StepReport): void => {
      if (step === 2) controller.abort(new Error('stopped by the user'));
    };
    const run = collect(sample(model, seeds(1), { ...OPTIONS, signal: controller.signal, onStep }));
    await expect(run).rejects.toThrow('stopped by the user');
    expect(model.passes).toHaveLength(2);
  });

  test('keeps the batch whose last step was under way', async () => {
    const controller = new AbortController();
    const onStep = ({ step, steps }: StepReport): void => {
      if (step === steps) controller.abort(new Error('stopped'));
    };
    const found: number[] = [];
    const run = async (): Promise<void> => {
      const samples = sample(fakeModel(), seeds(1, 2), { ...OPTIONS, signal: controller.signal, onStep });
      for await (const { request } of samples) found.push(request.seed);
    };
    await expect(run()).rejects.toThrow('stopped');
    expect(found).toEqual([1]);
  });
});

describe('values that are not finite stop the run', () => {
  test.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('%d in the output', async (bad, name) => {
    const model = fakeModel({ batch: 2 }, (output, pass) => {
      if (pass === 3) output[72 + 24 + 6 + 2] = bad;
    });
    const run = collect(sample(model, seeds(10, 20), OPTIONS));
    await expect(run).rejects.toThrow(RuntimeError);
    await expect(run).rejects.toMatchObject({ kind: 'gpu' });
    await expect(run).rejects.toThrow(
      `step 3 of 5 (timestep 50), sample of seed 20: the model's output is ${name} at [1, 1, 2], ` +
        '1 of 72 values are not finite',
    );
    expect(model.passes).toHaveLength(3);
  });

  test('in the variance channels too, which ddim does not read', async () => {
    const process = diffusionProcess({ ...SETTINGS, variance: 'learned' }, '5');
    const model = fakeModel({ out_channels: 6 }, (output) => {
      output[143] = Number.NaN;
    });
    const options: SampleOptions = { process, sampler: { kind: 'ddim', eta: 0 } };
    await expect(collect(sample(model, seeds(1), options))).rejects.toThrow('NaN at [5, 3, 5]');
  });

  test('when a finite output makes an infinite image', async () => {
    const process = diffusionProcess({ ...SETTINGS, variance: 'learned' }, '5');
    const model = fakeModel({ out_channels: 6 }, (output) => output.fill(1e4, 72));
    await expect(collect(sample(model, seeds(1), { ...OPTIONS, process }))).rejects.toThrow(
      /step 1 of 5 .* the image after the step is -?Infinity/,
    );
  });

  test('but not in rows that only fill up the batch', async () => {
    const model = fakeModel({ batch: 2 }, (output) => output.fill(Number.NaN, 72));
    expect(await collect(sample(model, seeds(1), OPTIONS))).toHaveLength(1);
  });
});

describe('requests that do not fit the model are refused before the first step', () => {
  const low_res = new Float32Array(18);
  test.each<[string, Partial<Denoiser>, SampleRequest, string]>([
    ['a label without classes', {}, { seed: 1, label: 3 }, 'the model has no classes; leave out the label 3'],
    ['no label', { num_classes: 10 }, { seed: 1 }, 'the model has 10 classes; give a label, 0 to 9'],
    ['a label too large', { num_classes: 10 }, { seed: 1, label: 10 }, 'label 10 is out of range'],
    ['a label in between', { num_classes: 10 }, { seed: 1, label: 1.5 }, 'label 1.5 is out of range'],
    ['a negative seed', {}, { seed: -1 }, 'a seed is a whole number from 0 to 9007199254740991'],
    ['a seed too large', {}, { seed: 2 ** 53 }, 'a seed is a whole number'],
    ['short noise', {}, { seed: 1, noise: low_res }, 'noise has 18 values, and [3, 4, 6] takes 72'],
    [
      'noise that is NaN',
      {},
      { seed: 1, noise: new Float32Array(72).fill(Number.NaN, 5) },
      'NaN at element 5',
    ],
    ['low_res for another model', {}, { seed: 1, low_res }, 'not for super-resolution'],
    ['no low_res', { low_res_size: [2, 3] }, { seed: 1 }, 'give low_res, [3, 2, 3] a sample'],
    ['low_res of another size', { low_res_size: [3, 3] }, { seed: 1, low_res }, 'low_res has 18 values'],
    ['too few channels', { out_channels: 6 }, { seed: 1 }, 'fixed_large needs 3 output channels'],
  ])('%s', async (_, changes, request, message) => {
    const model = fakeModel(changes);
    const run = collect(sample(model, [request], OPTIONS));
    await expect(run).rejects.toThrow(message);
    await expect(run).rejects.toMatchObject({ name: 'RuntimeError', kind: 'input' });
    expect(model.passes).toHaveLength(0);
  });

  test('all kinds of fault at once, each at the first sample that has it', async () => {
    const requests = [{ seed: 1, label: 0 }, { seed: 2 }, { seed: -3, label: 11 }];
    await expect(drawAll(requests, { num_classes: 10 })).rejects.toThrow(
      'sample 2 (seed -3): a seed is a whole number from 0 to 9007199254740991\n' +
        'sample 1 (seed 2): the model has 10 classes; give a label, 0 to 9',
    );
  });

  test('an eta out of range', async () => {
    await expect(drawAll(seeds(1), {}, { sampler: { kind: 'ddim', eta: -1 } })).rejects.toThrow('eta: -1');
  });
});

describe('guidance', () => {
  const requests = [1, 2, 3].map((seed) => ({ seed, label: seed }));
  const face = { num_classes: 5, batch: 2 };
  const guided = (scale: number, changes: Partial<Denoiser> = face) =>
    drawAll(requests, changes, { guidance: { scale, null_class: 4 } });

  test('of scale 1 is the label’s own prediction, of scale 0 the null class’s', async () => {
    const images = (samples: readonly Sample[]) => samples.map(({ image }) => image.data);
    const close = (found: readonly Float32Array[], expected: readonly Float32Array[]) => {
      found.forEach((row, k) => {
        row.forEach((value, i) => {
          expect(Math.abs(value - expected[k]![i]!)).toBeLessThan(1e-4);
        });
      });
    };
    close(images(await guided(1)), images(await drawAll(requests, face)));
    const unconditional = requests.map(({ seed }) => ({ seed, label: 4 }));
    close(images(await guided(0)), images(await drawAll(unconditional, face)));
    expect(images(await guided(3))).not.toEqual(images(await guided(1)));
  });

  test('gives the same bits at any batch', async () => {
    expect(await guided(3, { ...face, batch: 3 })).toEqual(await guided(3, { ...face, batch: 1 }));
  });

  test('goes from the null class to the label and beyond, and leaves the variance alone', async () => {
    const model = fakeModel({ num_classes: 5, out_channels: 6 });
    const process = diffusionProcess({ ...SETTINGS, variance: 'learned' }, '2');
    const options: SampleOptions = { ...OPTIONS, process, guidance: { scale: 2.5, null_class: 4 } };
    await collect(sample(model, [{ seed: 1, label: 0 }], options));
    expect(model.passes.map(({ y, timesteps }) => [y![0], timesteps[0]])).toEqual([
      [0, process.model_timesteps[1]],
      [4, process.model_timesteps[1]],
      [0, process.model_timesteps[0]],
      [4, process.model_timesteps[0]],
    ]);
  });

  test.each<[Partial<Denoiser>, { scale: number; null_class: number }, string]>([
    [{}, { scale: 2, null_class: 0 }, 'the model has no classes'],
    [{ num_classes: 5 }, { scale: 2, null_class: 5 }, 'the null class 5 is out of range'],
    [{ num_classes: 5 }, { scale: Number.NaN, null_class: 4 }, 'the scale is NaN'],
  ])('of %o with %o is refused', async (changes, guidance, message) => {
    const list = changes.num_classes === undefined ? seeds(1) : [{ seed: 1, label: 0 }];
    await expect(drawAll(list, changes, { guidance })).rejects.toThrow(message);
  });
});

describe('chains that were stopped', () => {
  test.each([{ kind: 'ddpm' }, { kind: 'dpmpp' }] as const)(
    'go on to the same bits with %o',
    async (sampler) => {
      const whole = await drawAll(seeds(1, 2, 3), { batch: 2 }, { sampler, frames: 3 });
      const resumed = new Map<number, ChainState>();
      const controller = new AbortController();
      const onStep = ({ step, batch, chains }: StepReport): void => {
        if (batch !== 1 || step !== 3) return;
        for (const { position, state } of chains()) resumed.set(position, state);
        controller.abort(new Error('stopped'));
      };
      const stopped = { sampler, frames: 3, onStep, signal: controller.signal };
      await expect(drawAll(seeds(1, 2, 3), { batch: 2 }, stopped)).rejects.toThrow('stopped');
      const reports: StepReport[] = [];
      const again = { sampler, frames: 3, resumed, onStep: (report: StepReport) => reports.push(report) };
      expect(await drawAll(seeds(1, 2, 3), { batch: 1 }, again)).toEqual(whole);
      expect(reports.at(-1)).toMatchObject({ done: 2 + 2 + STEPS, total: 2 + 2 + STEPS });
    },
  );
});

test('a step that does not end after an abort is given up', async () => {
  const controller = new AbortController();
  const model = { ...fakeModel(), run: () => new Promise<never>(() => undefined) };
  const run = collect(sample(model, seeds(1), { ...OPTIONS, signal: controller.signal, grace: 20 }));
  setTimeout(() => controller.abort(new Error('stopped')), 5);
  await expect(run).rejects.toThrow('stopped');
});

test('frames are guesses at the image, evenly over the steps', async () => {
  const [all] = await drawAll(seeds(1), {}, { frames: 99 });
  expect(all!.frames).toHaveLength(STEPS);
  // the last step returns its guess
  expect(all!.frames.at(-1)!.data).toEqual(all!.image.data);
  const [some] = await drawAll(seeds(1), {}, { frames: 2 });
  expect(some!.frames).toEqual([all!.frames[0], all!.frames[2]]);
});

test('a model gets all results back once they are read, and samples do not stand in their memory', async () => {
  for (const sampler of [{ kind: 'ddpm' }, { kind: 'ddim', eta: 1 }, { kind: 'dpmpp' }] as const) {
    for (const predict of ['epsilon', 'x_start', 'previous_x', 'v'] as const) {
      for (const clip_denoised of [true, false]) {
        const options = { process: diffusionProcess({ ...SETTINGS, predict }, '5'), sampler, clip_denoised };
        const model = fakeModel({ batch: 2 });
        let under = 0;
        const strict: Model = {
          interface: model.interface,
          async run(inputs) {
            under++;
            return model.run(inputs);
          },
          reuse(outputs) {
            under--;
            for (const { data } of outputs.values())
              structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
          },
        };
        const found = await collect(sample(strict, seeds(1, 2, 3), options));
        expect(found).toEqual(await collect(sample(model, seeds(1, 2, 3), options)));
        expect(under).toBe(0);
      }
    }
  }
});

describe('a model that takes two passes at once', () => {
  /** Passes take a while, and never the same; `most` is how many were under way together. */
  function slowModel(batch: number): Model & { most: number } {
    const model = fakeModel({ batch });
    let [pending, count] = [0, 0];
    return {
      interface: model.interface,
      in_flight: 2,
      most: 0,
      async run(inputs) {
        this.most = Math.max(this.most, ++pending);
        await new Promise((resolve) => setTimeout(resolve, (count++ * 7) % 5));
        pending--;
        return model.run(inputs);
      },
    };
  }

  test('is given two batches, and gives the same samples in the same order', async () => {
    const model = slowModel(2);
    const reports: StepReport[] = [];
    const options = { ...OPTIONS, onStep: (report: StepReport) => reports.push(report) };
    const found = await collect(sample(model, seeds(1, 2, 3, 4, 5, 6, 7), options));
    expect(found).toEqual(await drawAll(seeds(1, 2, 3, 4, 5, 6, 7)));
    expect(model.most).toBe(2);
    expect(reports.map(({ done }) => done)).toEqual(reports.map((_, i) => i + 1));
    expect(reports.at(-1)).toMatchObject({ done: 4 * STEPS, total: 4 * STEPS });
  });

  test('is left in peace when a batch fails or nobody wants more', async () => {
    const model = slowModel(1);
    for await (const _ of sample(model, seeds(1, 2, 3, 4), OPTIONS)) break;
    const controller = new AbortController();
    const onStep = ({ done }: StepReport): void => {
      if (done === 4) controller.abort(new Error('stopped'));
    };
    const run = collect(sample(model, seeds(1, 2, 3), { ...OPTIONS, onStep, signal: controller.signal }));
    await expect(run).rejects.toThrow('stopped');
    const before = model.most;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(model.most).toBe(before);
  });

  test('stops with the chains of both batches, which go on to the same bits', async () => {
    for (const stop of [1, 4, 5, 7, 9, 10]) {
      const controller = new AbortController();
      const model = slowModel(1);
      const kept: Sample[] = [];
      let last: StepReport | undefined;
      const onStep = (report: StepReport): void => {
        last = report;
        if (report.done === stop) controller.abort(new Error('stopped'));
      };
      const run = async (): Promise<void> => {
        const options = { ...OPTIONS, onStep, signal: controller.signal };
        for await (const one of sample(model, seeds(1, 2, 3), options)) kept.push(one);
      };
      await expect(run()).rejects.toThrow('stopped');
      const rest = [1, 2, 3].filter((seed) => !kept.some(({ request }) => request.seed === seed));
      const chains = last!.chains().map(({ request, state }) => [rest.indexOf(request.seed), state] as const);
      const resumed = new Map(chains.filter(([position]) => position >= 0));
      const reports: StepReport[] = [];
      const again = { ...OPTIONS, resumed, onStep: (report: StepReport) => reports.push(report) };
      const others = await collect(sample(fakeModel(), seeds(...rest), again));
      const images = [...kept, ...others].toSorted((a, b) => a.request.seed - b.request.seed);
      expect(images.map(({ image }) => image)).toEqual(
        (await drawAll(seeds(1, 2, 3))).map(({ image }) => image),
      );
      // no step is taken twice
      expect(last!.done + (reports.at(-1)?.done ?? 0)).toBe(3 * STEPS);
    }
  });
});
