import { expect, test } from 'vitest';
import type { ModelInterface } from '../../../runtime/model.ts';
import { type Denoiser, denoiserOf } from '../../../runtime/sampler/denoiser.ts';
import { portsOfDenoiser } from '../../fake-model.ts';

const FACE: Denoiser = {
  ...{ batch: 2, in_channels: 3, out_channels: 6, image_size: [4, 6] },
  ...{ num_classes: 10, low_res_size: [2, 3], classifier_classes: null },
};
const ports = portsOfDenoiser(FACE);
const without = (name: string): ModelInterface => ({
  ...ports,
  inputs: ports.inputs.filter((port) => port.name !== name),
});

test('what a sampler can call is told in its words', () => {
  expect(denoiserOf(ports)).toEqual(FACE);
  expect(denoiserOf(without('y'))).toEqual({ ...FACE, num_classes: null });
  expect(denoiserOf(without('low_res'))).toEqual({ ...FACE, low_res_size: null });
});

test.each<[string, ModelInterface, string]>([
  ['no images', without('x'), 'it takes no images x'],
  ['no timesteps', without('timesteps'), 'it takes no timesteps'],
  ['no output', { ...ports, outputs: [] }, 'it gives no images called output'],
  [
    'an output of another size',
    { ...ports, outputs: [{ name: 'output', encoding: 'image', dtype: 'f32', shape: [2, 3, 8, 8] }] },
    'x is 4x6 and output 8x8',
  ],
  [
    'an input that no sampler has',
    {
      ...ports,
      inputs: [...ports.inputs, { name: 'z', encoding: 'label', dtype: 'u32', shape: [2], classes: 5 }],
    },
    'a sampler has nothing to give as z (label)',
  ],
  [
    'labels that are something else',
    {
      ...without('y'),
      inputs: [...without('y').inputs, { name: 'y', encoding: 'plain', dtype: 'f32', shape: [2] }],
    },
    'a sampler has nothing to give as y (plain)',
  ],
])('a model with %s is refused', (_, face, message) => {
  expect(() => denoiserOf(face)).toThrow(`the model cannot be sampled: ${message}`);
});
