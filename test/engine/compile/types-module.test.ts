// The typed module of a bundle, as the type checker of a program that uses it sees it.

import path from 'node:path';
import type { Project } from 'ts-morph';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { typesModule } from '../../../engine/compile/types-module.ts';
import { strictProject } from '../../fixtures/strict-project.ts';
import { goldenGraph } from '../../golden-cases.ts';

const ROOT = path.join(import.meta.dirname, '..', '..', '..');

/** The files of the module for a golden graph. */
function moduleOf(name: string, options: { batch: number; taps: boolean }): ReadonlyMap<string, string> {
  const { graph } = loadGraph(goldenGraph(name), name);
  return typesModule(compileGraph(graph, options).bundle.manifest);
}

let project: Project;
beforeAll(() => {
  project = strictProject('engine/api.ts');
  for (const [folder, name, taps] of [
    ['classes', 'tiny-additive-class', true],
    ['superres', 'tiny-superres', false],
  ] as const) {
    for (const [file, text] of moduleOf(name, { batch: 2, taps })) {
      if (file.endsWith('.d.ts')) project.createSourceFile(path.join(ROOT, 'made-up', folder, file), text);
    }
  }
});

/** What the type checker says of a program in the folder above the bundles; nothing where it is content. */
function faultsOf(program: string): readonly string[] {
  const file = path.join(ROOT, 'made-up', 'program.ts');
  const source = project.createSourceFile(file, program, { overwrite: true });
  return source.getPreEmitDiagnostics().map((d) => {
    const text = d.getMessageText();
    return typeof text === 'string' ? text : text.getMessageText();
  });
}

const GOOD = `
  import { load, type Batch, type ImageSize, type Inputs, type Model, type Outputs, type Tap, type WeightName } from './classes/bundle.js';

  const model: Model = await load({ weights: 'model.pt' });
  const inputs: Inputs = {
    x: { shape: [2, 3, 16, 16], data: new Float32Array(2 * 3 * 16 * 16) },
    timesteps: [10, 20.5],
    y: [1, 2],
  };
  const { output, middle, 'down.0': first }: Outputs = await model.run(inputs);
  const shape: readonly [2, 3, 16, 16] = output.shape;
  const width: 16 = first.shape[3];
  const batch: Batch = 2;
  const size: ImageSize = [16, 16];
  const taps: readonly Tap[] = ['down.0', 'middle', 'up.1'];
  const weight: WeightName = 'time_embed.0.weight';
  export const all = [shape, width, batch, size, taps, weight, middle.data, model.interface.num_classes];
  await model.close();
`;

describe('a program that uses the types of its bundle', () => {
  test('is right', () => {
    expect(faultsOf(GOOD)).toEqual([]);
  });

  test.each([
    ["weights: 'model.pt'", 'weights: 7', 'number'],
    ["weights: 'model.pt'", "weights: 'model.pt', batch: 4", "'batch' does not exist"],
    ['shape: [2, 3, 16, 16],', 'shape: [2, 3, 16, 17],', "'17' is not assignable to type '16'"],
    ['shape: [2, 3, 16, 16],', 'shape: [3, 16, 16],', "Type '3' is not assignable to type '2'"],
    ['x: {', 'z: {', "'z' does not exist"],
    ['timesteps: [10, 20.5],', '', "'timesteps' is missing"],
    ['y: [1, 2],', '', "'y' is missing"],
    ['y: [1, 2],', "y: ['cat', 'dog'],", "'string' is not assignable to type 'number'"],
    ['y: [1, 2],', 'y: [1, 2], low_res: output,', "'low_res' does not exist"],
    ["'down.0': first", "'down.9': first", "'down.9' does not exist"],
    ["['down.0', 'middle'", "['down.9', 'middle'", '"down.9"'],
    ['const batch: Batch = 2', 'const batch: Batch = 1', "'1' is not assignable to type '2'"],
    ["= 'time_embed.0.weight'", "= 'time_embed.1.weight'", '"time_embed.1.weight"'],
    ['const width: 16', 'const width: 32', "'16' is not assignable to type '32'"],
  ])('%s written as %s is wrong', (right, wrong, message) => {
    expect(GOOD).toContain(right);
    expect(faultsOf(GOOD.replace(right, wrong)).join('\n')).toContain(message);
  });

  test('a bundle without taps has none, and one for super-resolution takes low_res', () => {
    const program = (taps: string) => `
      import type { Inputs, Tap } from './superres/bundle.js';
      export const taps: readonly Tap[] = [${taps}];
      export const low: Inputs['low_res']['shape'][0] = 2;
    `;
    expect(faultsOf(program(''))).toEqual([]);
    expect(faultsOf(program("'middle'"))).toHaveLength(1);
  });
});

test('the files say that they are ours, and are the same each time', () => {
  const files = moduleOf('tiny-1d', { batch: 1, taps: true });
  expect([...files.keys()]).toEqual(['bundle.d.ts', 'bundle.js']);
  for (const text of files.values()) {
    expect(text).toMatch(/^\/\/ Written by unetc compile --types; do not edit\.\n/);
    expect(text).not.toContain('\r');
  }
  expect(moduleOf('tiny-1d', { batch: 1, taps: true })).toEqual(files);
});
