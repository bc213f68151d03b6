// Classifiers in the Node API, on the reference executor: run, differentiated, and as what guides a model.

import { describe, expect, test } from 'vitest';
import { compile, type LoadOptions, load, RuntimeError, UsageError } from '../../engine/api.ts';

const SMALL = { model_channels: 32, num_res_blocks: 1, attention_resolutions: [2], channel_mult: [1, 2] };
const CLASSIFIER = {
  version: 1,
  image_size: 8,
  adm_classifier: { in_channels: 3, out_channels: 5, ...SMALL, num_head_channels: 32, pool: 'attention' },
};
const MODEL = {
  version: 1,
  image_size: 8,
  unet: { in_channels: 3, out_channels: 3, ...SMALL, num_heads: 1 },
};
const x = { shape: [1, 3, 8, 8], data: Float32Array.from({ length: 192 }, (_, i) => Math.cos(i)) };

const classifier = (options: Partial<LoadOptions> = {}) =>
  load(CLASSIFIER, { weights: 'hash:2', reference: true, ...options });
const guided = (options: Partial<LoadOptions> = {}) =>
  load(MODEL, {
    ...{ weights: 'hash:1', reference: true },
    classifier: { model: CLASSIFIER, weights: 'hash:2' },
    ...options,
  });

describe('a classifier', () => {
  test('gives logits, and its gradient where it is loaded with that', async () => {
    const plain = await classifier();
    expect(plain.interface).toMatchObject({ in_channels: 3, out_channels: 5, image_size: [8, 8] });
    expect(plain.interface.num_classes).toBeNull();
    const { output, ...rest } = await plain.run({ x, timesteps: [10] });
    expect(output.shape).toEqual([1, 5]);
    expect(rest).toEqual({});
    const differentiated = await classifier({ gradient: true });
    expect(differentiated.interface.num_classes).toBe(5);
    const { output: same, gradient } = await differentiated.run({ x, timesteps: [10], y: [3] });
    expect(same).toEqual(output);
    // log softmax grows along its gradient by the square of it
    const moved = { ...x, data: x.data.map((v, i) => v + 1e-3 * gradient!.data[i]!) };
    const after = await plain.run({ x: moved, timesteps: [10] });
    const logProbability = ({ data }: { readonly data: Float32Array }) =>
      data[3]! - Math.log(data.reduce((sum, v) => sum + Math.exp(v), 0));
    const square = gradient!.data.reduce((sum, v) => sum + v * v, 0);
    const growth = (logProbability(after.output) - logProbability(output)) / (1e-3 * square);
    expect(growth).toBeGreaterThan(0.95);
    expect(growth).toBeLessThan(1.05);
  });

  test('cannot be sampled, and a model that is none has no such gradient', async () => {
    const model = await classifier({ gradient: true });
    const drawn = model.sample([{ seed: 0, label: 1 }], { steps: '2' });
    await expect(drawn.next()).rejects.toThrow('it gives 5 numbers a sample, no images: it is a classifier');
    await expect(load(MODEL, { weights: 'hash:1', reference: true, gradient: true })).rejects.toThrow(
      'is no classifier; give a graph with "adm_classifier"',
    );
    expect(() => compile(MODEL, { gradient: true })).toThrow(UsageError);
    expect(() => compile(CLASSIFIER, { gradient: 1 } as never)).toThrow(
      "gradient: found '1', expected true or false",
    );
  });

  test('is compiled with its gradient, for `load` to take', async () => {
    const bundle = compile(CLASSIFIER, { gradient: true });
    expect(bundle.manifest.outputs.map(({ name }) => name)).toEqual(['output', 'gradient']);
    const model = await load(bundle, { weights: 'hash:2', reference: true });
    const { gradient } = await model.run({ x, timesteps: [10], y: [3] });
    expect(gradient!.shape).toEqual(x.shape);
    const beside = { model: bundle, weights: 'hash:2' };
    const { interface: face } = await guided({ classifier: beside });
    expect(face.classifier_classes).toBe(5);
  });
});

describe('a model with a classifier', () => {
  const draw = async (scale?: number, options: Partial<LoadOptions> = {}) => {
    const model = await guided(options);
    const images: Float32Array[] = [];
    for await (const { image } of model.sample([{ seed: 7, label: 3 }], {
      steps: '2',
      classifierScale: scale,
    }))
      images.push(image.data);
    return images;
  };

  test('is guided by it, and gives its gradient where labels are given', async () => {
    const model = await guided();
    expect(model.interface.inputs.map(({ name }) => name)).toEqual(['x', 'timesteps', 'classifier_y']);
    const { output, gradient } = await model.run({ x, timesteps: [10], classifier_y: [3] });
    const alone = await (await classifier({ gradient: true })).run({ x, timesteps: [10], y: [3] });
    expect(gradient).toEqual(alone.gradient);
    expect(await model.run({ x, timesteps: [10] })).toEqual({ output });

    const [usual, nothing] = [await draw(), await draw(0)];
    expect(await draw(1)).toEqual(usual);
    expect(usual).not.toEqual(nothing);
    const plain = await load(MODEL, { weights: 'hash:1', reference: true });
    for await (const { image } of plain.sample([{ seed: 7 }], { steps: '2' }))
      expect([image.data]).toEqual(nothing);
  });

  test('what is off is named before anything is drawn', async () => {
    await expect(draw(Number.NaN)).rejects.toThrow(UsageError);
    await expect(draw('much' as never)).rejects.toThrow("classifierScale: found 'much', expected a number");
    const plain = await load(MODEL, { weights: 'hash:1', reference: true });
    const drawn = plain.sample([{ seed: 0 }], { steps: '2', classifierScale: 2 });
    await expect(drawn.next()).rejects.toThrow('classifier_scale: no classifier guides the model');
    await expect(guided({ classifier: { model: CLASSIFIER } as never })).rejects.toThrow(
      'classifier: expected a model and its weights',
    );
    await expect(guided({ classifier: { model: MODEL, weights: 'hash:2' } })).rejects.toThrow(RuntimeError);
    await expect(guided({ classifier: { model: MODEL, weights: 'hash:2' } })).rejects.toThrow(
      'classifier cannot guide graph: it gives images, so it is no classifier',
    );
    const larger = { ...CLASSIFIER, image_size: 16 };
    await expect(guided({ classifier: { model: larger, weights: 'hash:2' } })).rejects.toThrow(
      'classifier cannot guide graph: it takes images of 16x16, and the model of 8x8; give a classifier for 8x8',
    );
    const compiled = { model: compile(CLASSIFIER), weights: 'hash:2' };
    await expect(guided({ classifier: compiled })).rejects.toThrow(
      'the bundle of the classifier cannot guide graph: it was compiled without its gradient',
    );
  });
});
