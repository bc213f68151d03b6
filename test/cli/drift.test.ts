// `unetc drift`: the block that is named, words, table and plot, on the reference executor.

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { driftTable, onScale } from '../../cli/drift/table.ts';
import type { DriftResult } from '../../engine/drift/drift.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const inFolder = temporaryFolder();

/** A small model with attention at its second level. */
function model(changes: object = {}, beside: object = {}): string {
  const unet = {
    in_channels: 1,
    model_channels: 32,
    out_channels: 1,
    num_res_blocks: 1,
    attention_resolutions: [2],
    channel_mult: [1, 1],
    num_heads: 2,
    num_classes: 3,
    ...changes,
  };
  return JSON.stringify({ version: 1, name: 'little', image_size: 4, unet, ...beside });
}

function files(a: string, b: string): readonly [string, string] {
  const paths = [inFolder('a.json'), inFolder('b.json')] as const;
  writeFileSync(paths[0], a);
  writeFileSync(paths[1], b);
  return paths;
}

const REFERENCE = ['--weights', 'hash:3', '--reference'];

describe('unetc drift', () => {
  it('compares losses and gradients of a training batch, in the order of the backward pass', async () => {
    const [a, b] = files(model(), model({ num_heads: 4 }));
    const same = await unetcJson<DriftResult>('drift', a, a, ...REFERENCE, '--gradients', '--batch', '2');
    expect(same).toMatchObject({ exit: 0, batch: 2, unmatched: [], first: null });
    expect(same.blocks.map(({ path }) => path)).toEqual([
      ...['loss', 'out', 'output_blocks.3', 'output_blocks.2', 'output_blocks.1', 'output_blocks.0'],
      ...['middle_block', 'input_blocks.3', 'input_blocks.2', 'input_blocks.1', 'input_blocks.0'],
      ...['label_emb', 'time_embed'],
    ]);
    const other = await unetcJson<DriftResult>('drift', a, b, ...REFERENCE, '--gradients');
    expect(other.first).toMatchObject({ path: 'loss', layers: [] });
    expect(other.blocks.every(({ relative_l2 }) => relative_l2! > 1e-5)).toBe(true);
    // one more class: the table of labels has no gradient of the same shape
    const [, more] = files(model(), model({ num_classes: 4 }));
    const classes = await unetcJson<DriftResult>('drift', a, more, ...REFERENCE, '--gradients');
    expect(classes.unmatched).toEqual(['grad.label_emb.weight']);
  });

  it('takes the batch of a file, and refuses one that is none of training', async () => {
    const [a, b] = files(model(), model());
    const image = (at: number) => {
      return { shape: [2, 1, 4, 4], data: Float32Array.from({ length: 32 }, (_, i) => Math.sin(at + i)) };
    };
    const write = (timestep: number) => {
      const batch = new Map<string, { shape: number[]; data: Float32Array | Int32Array }>([
        ['x_start', image(0)],
        ['noise', image(1)],
        ['timesteps', { shape: [2], data: Int32Array.from([3, timestep]) }],
        ['y', { shape: [2], data: Int32Array.from([0, 2]) }],
      ]);
      writeFileSync(inFolder('batch.safetensors'), writeTensors(batch));
    };
    const words = [...REFERENCE, '--gradients', '--inputs', inFolder('batch.safetensors')];
    write(999);
    expect(await unetcJson<DriftResult>('drift', a, b, ...words)).toMatchObject({ batch: 2, first: null });
    write(1000);
    const refused = await unetc('drift', a, b, ...words);
    expect(refused.exit).toBe(5);
    expect(refused.stderr).toContain('timesteps[1] is 1000');
  });

  it('names the first attention where heads differ', async () => {
    const [a, b] = files(model(), model({ num_heads: 4 }));
    const svg = inFolder('drift.svg');
    const result = await unetcJson<DriftResult>('drift', a, b, ...REFERENCE, '--svg', svg);
    expect(result).toMatchObject({
      exit: 0,
      batch: 1,
      unmatched: [],
      a: { name: 'little', adapter: 'the reference executor' },
      first: {
        path: 'input_blocks.3',
        shape: [32, 2, 2],
        layers: [{ path: 'input_blocks.3.1', a: 'attention 32 heads 2', b: 'attention 32 heads 4' }],
      },
    });
    const drifts = result.blocks.map(({ relative_l2 }) => relative_l2!);
    expect(result.blocks.map(({ path }) => path)).toEqual([
      ...['input_blocks.0', 'input_blocks.1', 'input_blocks.2', 'input_blocks.3', 'middle_block'],
      ...['output_blocks.0', 'output_blocks.1', 'output_blocks.2', 'output_blocks.3', 'output'],
    ]);
    expect(drifts.slice(0, 3)).toEqual([0, 0, 0]);
    expect(Math.min(...drifts.slice(3))).toBeGreaterThan(1e-5);
    const plot = readFileSync(svg, 'utf8');
    expect(plot.match(/<rect [^>]*fill-opacity="1"/g)).toHaveLength(1);
    expect(plot).toContain('<title>input_blocks.3 [32, 2, 2]\nrelative L2 ');
  });

  it('says so where nothing differs, though the graphs do', async () => {
    const [a, b] = files(model(), model({ dropout: 0.5 }));
    const { exit, stdout } = await unetc('drift', a, b, ...REFERENCE, '--fail-above', '0', '--batch', '2');
    expect(exit).toBe(0);
    expect(stdout).toContain('2 images of 4x4');
    expect(stdout).toMatch(/No block differs by more than 1\.0e-5\.\n$/);
  });

  it('compares two checkpoints of one model', async () => {
    const [a] = files(model(), '');
    const result = await unetcJson<DriftResult>('drift', a, a, ...REFERENCE, '--weights-b', 'hash:4');
    expect(result.first).toMatchObject({ path: 'input_blocks.0', layers: [] });
  });

  it('fails where a block differs by more than was said', async () => {
    const [a, b] = files(model(), model({ num_heads: 4 }));
    const { exit, stderr } = await unetc('drift', a, b, ...REFERENCE, '--fail-above', '1e-7');
    expect([exit, stderr]).toEqual([1, 'error: input_blocks.3 differs by more than 1e-7\n']);
  });

  it.each([
    ['images of other sizes', model({}, { image_size: 8 }), [], 2, 'there is nothing to compare'],
    ['weights that do not fit', model({ num_classes: null }), ['--weights', 'nowhere.pt'], 4, 'nowhere.pt'],
    ['a graph that is none', '{}', [], 3, 'G010'],
    ['a tolerance that is no number', model(), ['--tolerance', 'much'], 2, '--tolerance'],
    ['inputs that are none', model(), ['--inputs', 'nowhere.safetensors'], 5, 'nowhere.safetensors'],
  ])('refuses %s', async (_, other, words, exit, message) => {
    const [a, b] = files(model(), other);
    const result = await unetc('drift', a, b, ...REFERENCE, ...words);
    expect(result).toMatchObject({ exit, stdout: '' });
    expect(result.stderr).toContain(message);
  });
});

it('draws a bar on a logarithmic scale', () => {
  expect([0, 1e-9, 1e-8, 1e-4, 1, 7, null].map(onScale)).toEqual([0, 0, 0, 0.5, 1, 1, 1]);
  const side = { model: 'm', name: 'm', weights: 'w', adapter: 'x' };
  const block = (path: string, relative_l2: number) => ({ path, shape: [1], relative_l2, largest: 0 });
  const first = { ...block('output', 1e-4), layers: [] };
  const blocks = [block('middle_block', 0), first];
  const shared = { batch: 1, image_size: [4], tolerance: 1e-5, unmatched: ['output_blocks.7'] };
  const lines = driftTable({ a: side, b: side, ...shared, blocks, first }).split('\n');
  expect(lines).toEqual([
    'A m, weights w, on x',
    'B m, weights w, on x',
    '1 image of 4',
    '',
    '  block         shape  relative L2  largest  1e-8 to 1',
    '  middle_block  1                0        0',
    '> output        1           1.0e-4        0  ████████████',
    'not compared, only in one or in another shape: output_blocks.7',
    '',
    'They first differ in output, by 1.0e-4: its layers are the same in both graphs.',
    '',
  ]);
});
