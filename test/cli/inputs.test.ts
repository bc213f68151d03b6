// `unetc inputs`: files that `run` takes, of every kind of graph there is.

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { interfaceOf, readModel } from '../../engine/model/model-source.ts';
import { readRunInputs, toModelInputs } from '../../engine/model/run-inputs.ts';
import { INITIAL_STEP, normalNoise } from '../../runtime/sampler/noise.ts';
import { readTensors } from '../../runtime/weights/safetensors.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { ALL_NAMES, CLASSIFIER_NAMES, goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
const root = path.join(import.meta.dirname, '..', '..');

/** Published graphs of each family, and what golden cases are made of, as files. */
function graphFiles(): readonly (readonly [name: string, text: () => string])[] {
  const published = fs
    .readdirSync(path.join(root, 'graphs'))
    .filter((file) => file.endsWith('.json') && !/schema|512|256/.test(file));
  return [
    ...published.map(
      (file) => [file, () => fs.readFileSync(path.join(root, 'graphs', file), 'utf8')] as const,
    ),
    ...[...ALL_NAMES, ...CLASSIFIER_NAMES].map((name) => [name, () => goldenGraph(name)] as const),
  ];
}

function tensorsOf(file: string) {
  return readTensors(fs.readFileSync(file), { kind: 'input', label: file });
}

describe('every kind of graph', () => {
  test.each(graphFiles())('%s', async (_, text) => {
    const graph = at('graph.json');
    fs.writeFileSync(graph, text());
    const isClassifier = fs.readFileSync(graph, 'utf8').includes('"adm_classifier"');
    for (const more of [[], ...(isClassifier ? [['--gradient']] : [])]) {
      const made = await unetcJson('inputs', graph, '--seeds', '4,9', '-o', at('in.safetensors'), ...more);
      expect(made).toMatchObject({ exit: 0, output: at('in.safetensors') });
      const source = await readModel(graph, {});
      const face = interfaceOf(source.graph, 2, { gradient: more.length > 0 });
      const inputs = toModelInputs(readRunInputs(at('in.safetensors')), face);
      expect(Object.keys(inputs).toSorted()).toEqual(face.inputs.map(({ name }) => name).toSorted());
    }
  });
});

test('a file runs, and is the same every time', async () => {
  fs.writeFileSync(at('g.json'), SMALL_GRAPH);
  const made = await unetc('inputs', at('g.json'), '--out', at('in.safetensors'));
  expect(made).toMatchObject({ exit: 0, stdout: `${at('in.safetensors')}: x [1, 1, 8, 8], timesteps [1]\n` });
  const words = ['--weights', 'hash:1', '--inputs', at('in.safetensors'), '--reference'];
  expect(await unetc('run', at('g.json'), ...words, '-o', at('out.safetensors'))).toMatchObject({ exit: 0 });
  await unetc('inputs', at('g.json'), '-o', at('again.safetensors'));
  expect(fs.readFileSync(at('again.safetensors'))).toEqual(fs.readFileSync(at('in.safetensors')));
});

test('x is the noise that sample starts from, each row by its seed, and timesteps are as the model is fed them', async () => {
  const mnist = path.join(root, 'graphs/mnist.json');
  const words = ['--seeds', '7,3', '--timesteps', '0,999', '--class', '5'];
  await unetc('inputs', mnist, ...words, '-o', at('in.safetensors'));
  const tensors = tensorsOf(at('in.safetensors'));
  const x = tensors.get('x')!.data as Float32Array;
  expect(x.subarray(784)).toEqual(normalNoise(3, INITIAL_STEP, 784));
  expect(tensors.get('timesteps')).toMatchObject({ dtype: 'F32', data: Float32Array.of(0, 999) });
  expect(tensors.get('y')).toMatchObject({ dtype: 'I64', data: BigInt64Array.of(5n, 5n) });

  const cifar = path.join(root, 'graphs/cifar10.json');
  await unetc('inputs', cifar, '--timesteps', '3999', '-o', at('in.safetensors'));
  expect(tensorsOf(at('in.safetensors')).get('timesteps')!.data[0]).toBeCloseTo(999.75, 3);
});

test('of a training step: images in [-1, 1], noise, and whole timesteps below the steps', async () => {
  const graph = path.join(root, 'graphs/mnist-sr.json');
  await unetc('inputs', graph, '--batch', '3', '--training', '-o', at('in.safetensors'));
  const tensors = tensorsOf(at('in.safetensors'));
  expect([...tensors.keys()].toSorted()).toEqual(['low_res', 'noise', 'timesteps', 'x_start', 'y']);
  expect(tensors.get('timesteps')).toMatchObject({ dtype: 'I64', shape: [3] });
  for (const name of ['x_start', 'low_res'])
    expect(
      [...(tensors.get(name)!.data as Float32Array)].every((v) => Math.abs(v) <= 1),
      name,
    ).toBe(true);
  expect(tensors.get('noise')!.shape).toEqual(tensors.get('x_start')!.shape);
});

test.each<[string, readonly string[], number, string]>([
  ['mnist', ['--class', '10'], 5, '--class: found 10, and the model has classes 0 to 9'],
  ['mnist', ['--timesteps', '1000'], 5, '--timesteps: found 1000, expected whole steps'],
  ['mnist', ['--low-res', 'x.png'], 5, '--low-res: the model takes no low_res, only x, timesteps, y'],
  ['cifar10', ['--class', '1'], 5, '--class: the model takes no y'],
  ['mnist', ['--seeds', '0-3', '--batch', '2'], 2, '--seeds names 4 and --batch has 2'],
  ['mnist', ['--gradient'], 2, '--gradient: mnist is no classifier'],
  ['mnist', ['--size', '30'], 3, 'G0'],
])('%s %j is refused', async (name, words, exit, message) => {
  const outcome = await unetc(
    'inputs',
    path.join(root, `graphs/${name}.json`),
    ...words,
    '-o',
    at('no.safetensors'),
  );
  expect(outcome).toMatchObject({ exit, stderr: expect.stringContaining(message) });
  expect(fs.existsSync(at('no.safetensors'))).toBe(false);
});
