// `unetc export`: from words to a file that another engine runs.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { register } from '../../cli/commands/export.ts';
import { runProgram } from '../../cli/program.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { lowerGraph } from '../../compiler/graph/lower.ts';
import { runReference } from '../../compiler/opgraph/reference.ts';
import { exportModel } from '../../engine/checkpoint/export-model.ts';
import { silentHost } from '../../engine/host.ts';
import { hashTensor } from '../../runtime/weights/hash.ts';
import { pickImages, runModel } from '../fixtures/onnx-session.ts';
import { noise32, relativeL2, tensor } from '../fixtures/values.ts';
import { recordingContext } from '../recording-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'unetc-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

const GRAPH = JSON.stringify({
  version: 1,
  name: 'little',
  image_size: 8,
  unet: {
    in_channels: 1,
    model_channels: 32,
    out_channels: 1,
    num_res_blocks: 1,
    attention_resolutions: [2],
    channel_mult: [1, 2],
    num_classes: 3,
  },
});
const graphFile = join(folder, 'little.json');
writeFileSync(graphFile, GRAPH);
mkdirSync(join(folder, 'd.onnx'));

const inputs = { x: noise32([2, 1, 6, 10], 1), timesteps: tensor([2], [7, 800]), y: tensor([2], [2, 0]) };

function expected() {
  const { graph } = loadGraph(GRAPH, 'little', { size: [6, 10] });
  const ops = lowerGraph(graph, { batch: 2, taps: true, precision: 'f32' });
  return runReference(ops, (name, shape) => hashTensor(name, shape, 5), inputs);
}

async function run(...words: readonly string[]) {
  const context = recordingContext();
  const exit = await runProgram(['export', graphFile, ...words], context, [register]);
  return { exit, ...context.printed };
}

describe('unetc export', () => {
  it('writes a model that onnxruntime runs as the reference does', async () => {
    const output = join(folder, 'little.onnx');
    const words = ['--weights', 'hash:5', '-o', output, '--batch', '2', '--size', '6x10', '--taps', '--json'];
    const { exit, stdout } = await run(...words);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      graph: 'little',
      output,
      weights_file: null,
      inputs: ['x', 'timesteps', 'y'],
      outputs: ['output', 'down.0', 'down.1', 'down.2', 'down.3', 'middle', 'up.0', 'up.1', 'up.2', 'up.3'],
    });
    const results = await runModel(output, inputs);
    for (const [name, { shape, data }] of expected()) {
      expect(results.get(name)!.shape).toEqual(shape);
      expect(relativeL2(results.get(name)!.data, data), name).toBeLessThan(2e-6);
    }
  });

  it('leaves the batch to every call where it is dynamic, and keeps weights beside where that is asked for', async () => {
    const output = join(folder, 'any.onnx');
    const words = [
      '--weights',
      'hash:5',
      '-o',
      output,
      '--batch',
      'dynamic',
      '--size',
      '6x10',
      '--external-data',
    ];
    const { exit, stdout } = await run(...words);
    expect(exit).toBe(0);
    expect(stdout).toContain(`${output}, ${output}.data: `);
    const { data } = expected().get('output')!;
    for (const images of [[0, 1], [1], [1, 0, 1]]) {
      const results = await runModel(output, pickImages(inputs, images));
      const picked = images.flatMap((b) => [
        ...data.slice((b * data.length) / 2, ((b + 1) * data.length) / 2),
      ]);
      expect(results.get('output')!.shape).toEqual([images.length, 1, 6, 10]);
      expect(relativeL2(results.get('output')!.data, picked)).toBeLessThan(2e-6);
    }
  });

  it('puts weights that do not fit into a second file', async () => {
    const output = join(folder, 'split.onnx');
    const job = { weights: 'hash:5', output, batch: 2, size: [6, 10] };
    const result = await exportModel(graphFile, job, silentHost(), 1000);
    expect(result.weights_file).toBe(`${output}.data`);
    const results = await runModel(output, inputs);
    expect(relativeL2(results.get('output')!.data, expected().get('output')!.data)).toBeLessThan(2e-6);
  });

  it.each([
    [
      'another ending',
      ['--weights', 'hash:5', '-o', 'little.pb'],
      2,
      "found 'little.pb', expected a file whose name ends in .onnx",
    ],
    [
      'no images',
      ['--weights', 'hash:5', '-o', 'little.onnx', '--batch', '0'],
      2,
      "--batch: found '0', expected a whole number from 1 to 65536 or dynamic",
    ],
    ['no weights', ['-o', 'little.onnx'], 2, '--weights'],
    ['missing weights', ['--weights', join(folder, 'none.pt'), '-o', 'little.onnx'], 4, 'none.pt'],
    ['a size that does not halve', ['--weights', 'hash:5', '-o', 'little.onnx', '--size', '7x8'], 3, '7'],
    ['a folder as output', ['--weights', 'hash:5', '-o', `${folder}/d.onnx`], 9, 'd.onnx'],
  ])('refuses %s', async (_, words, exit, message) => {
    const before = readdirSync(folder);
    const result = await run(...words);
    expect(result).toMatchObject({ exit, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(readdirSync(folder)).toEqual(before);
  });
});
