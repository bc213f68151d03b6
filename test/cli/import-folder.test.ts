// `unetc import`: folders of diffusers as they are found, and what is at fault in them.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../compiler/graph/load.ts';
import { importDiffusers } from '../../engine/api.ts';
import { DIFFUSERS_NAMES, GOLDEN, goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();

/** Writes files of a folder, values as JSON. */
function write(files: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(files)) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), typeof value === 'string' ? value : JSON.stringify(value));
  }
}

const golden = (file: string): unknown => JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8'));
const CONFIG = golden('diffusers/ddpm/config.json') as object;
const DDPM = { _class_name: 'DDPMScheduler', num_train_timesteps: 1000, variance_type: 'fixed_large' };

describe('unetc import', () => {
  test.each(DIFFUSERS_NAMES)('gives the graph of %s', async (name) => {
    write({ [`${name}/config.json`]: golden(`${name}/config.json`) });
    const { exit, stdout, stderr } = await unetc('import', at(name));
    expect([exit, stderr]).toEqual([0, expect.stringContaining('there is no scheduler_config.json')]);
    const { graph, warnings } = loadGraph(stdout, name);
    expect(warnings).toEqual([]);
    expect({ ...graph, name }).toEqual(loadGraph(goldenGraph(name), name).graph);
  });

  test('finds the files of a model, of a model with a scheduler, and of a pipeline', async () => {
    write({
      'beside/config.json': CONFIG,
      'beside/scheduler_config.json': DDPM,
      'inside/config.json': CONFIG,
      'inside/scheduler/scheduler_config.json': DDPM,
      'pipeline/model_index.json': { _class_name: 'DDPMPipeline' },
      'pipeline/unet/config.json': CONFIG,
      'pipeline/unet/diffusion_pytorch_model.fp16.safetensors': '',
      'pipeline/scheduler/scheduler_config.json': DDPM,
    });
    for (const folder of ['beside', 'inside', 'pipeline', 'pipeline/unet', 'pipeline/unet/config.json']) {
      const { graph } = await unetcJson<{ graph: { name: string; diffusion: object } }>('import', at(folder));
      expect(graph.name).toBe(folder.split('/')[0]);
      expect(graph.diffusion).toEqual({
        steps: 1000,
        noise_schedule: 'linear',
        beta_start: 0.0001,
        beta_end: 0.02,
        variance: 'fixed_large',
        timestep_spacing: 'leading',
      });
    }
    const { exit, stdout, stderr } = await unetc('import', at('pipeline'), '-o', at('graph.json'));
    expect([exit, stdout]).toEqual([0, expect.stringContaining('graph.json: the graph of ')]);
    expect(stderr).toContain(`its weights: ${at('pipeline/unet/diffusion_pytorch_model.fp16.safetensors')}`);
    expect((await unetc('validate', at('graph.json'))).exit).toBe(0);
    const { graph, weights, notes } = importDiffusers(at('pipeline'), { name: 'mine', size: 32 });
    expect(graph).toMatchObject({ name: 'mine', image_size: [32, 32] });
    expect(weights).toContain('fp16');
    expect(notes.join()).toContain('the model was trained on 16x16, and is computed on 32x32');
  });

  test.each([
    [
      { ...DDPM, beta_schedule: 'scaled_linear', clip_sample: false, prediction_type: 'sample' },
      { noise_schedule: 'scaled_linear', predict: 'x_start', clip_range: null },
    ],
    [
      golden('schedulers/ddpm-cosine-v/scheduler_config.json') as object,
      {
        noise_schedule: 'cosine',
        predict: 'v',
        variance: 'fixed_small',
        timestep_spacing: 'trailing',
        clip_range: 1.5,
      },
    ],
    [
      { _class_name: 'DDIMScheduler', set_alpha_to_one: false, steps_offset: 1 },
      { variance: 'fixed_small', set_alpha_to_one: false, steps_offset: 1, timestep_spacing: 'leading' },
    ],
  ])('takes the process of a scheduler: %j', async (scheduler, expected) => {
    write({ 'process/config.json': CONFIG, 'process/scheduler_config.json': scheduler });
    const { graph } = await unetcJson<{ graph: { diffusion: object } }>('import', at('process'));
    expect(graph.diffusion).toMatchObject(expected);
    if ('beta_start' in graph.diffusion)
      expect(graph.diffusion).not.toMatchObject({ noise_schedule: 'cosine' });
  });

  test('takes the process alone of schedulers that sample in other ways, and says what was left out', async () => {
    const scheduler = { _class_name: 'DPMSolverMultistepScheduler', solver_order: 2, beta_end: 0.01 };
    write({ 'dpm/config.json': CONFIG, 'dpm/scheduler_config.json': scheduler });
    const { exit, stdout, stderr } = await unetc('import', at('dpm'));
    expect(exit).toBe(0);
    expect(JSON.parse(stdout).diffusion).toEqual({
      steps: 1000,
      noise_schedule: 'linear',
      beta_start: 0.0001,
      beta_end: 0.01,
    });
    expect(stderr).toContain('DPMSolverMultistepScheduler samples in a way of its own: taken is the process');
    expect(stderr).toContain('left out of the scheduler: solver_order');
  });

  test.each([
    ['HeunDiscreteScheduler', 'linear'],
    ['LCMScheduler', 'scaled_linear'],
  ])('takes the betas of %s where it says none', async (_class_name, noise_schedule) => {
    const betas = { noise_schedule, beta_start: 0.00085, beta_end: 0.012 };
    write({ 'usual/config.json': CONFIG, 'usual/scheduler_config.json': { _class_name } });
    expect(importDiffusers(at('usual')).graph).toMatchObject({ diffusion: betas });
    write({ 'usual/scheduler_config.json': { _class_name, beta_end: 0.02 } });
    expect(importDiffusers(at('usual')).graph).toMatchObject({ diffusion: { ...betas, beta_end: 0.02 } });
  });

  test('takes a config of nothing but its class, and names of activations as diffusers looks them up', () => {
    write({
      'bare/config.json': { _class_name: 'UNet2DModel' },
      'SiLU/config.json': { ...CONFIG, act_fn: 'SiLU' },
    });
    expect(importDiffusers(at('bare')).graph).toMatchObject({ image_size: 64, unet_2d: {} });
    expect(importDiffusers(at('SiLU')).graph).toMatchObject({ unet_2d: { act_fn: 'silu' } });
  });

  test('warns of a graph that has no process, too', () => {
    write({ 'other/config.json': CONFIG });
    const { notes } = importDiffusers(at('other'), { size: 32, scheduler: 'none' });
    expect(notes.join()).toContain('the model was trained on 16x16, and is computed on 32x32');
  });

  test.each([
    [[16], 'found [16], expected an integer from 1 to 16777216, [height, width], or null'],
    [[], 'found [], expected an integer from 1 to 16777216, [height, width], or null'],
    [16.5, 'found 16.5, expected an integer from 1 to 16777216, [height, width], or null'],
    [1e9, 'found 1000000000, expected an integer from 1 to 16777216'],
    [15, 'image_size 15 does not survive the downsamplings'],
  ])('tells a sample_size of %j at its place, once', (sample_size, message) => {
    write({ 'size/config.json': { ...CONFIG, sample_size } });
    expect(() => importDiffusers(at('size'), { scheduler: 'none' })).toThrow(
      expect.objectContaining({
        diagnostics: [
          expect.objectContaining({
            pointer: '/sample_size',
            position: expect.anything(),
            message: expect.stringContaining(message),
          }),
        ],
      }),
    );
  });

  test('leaves the process out where it is asked to, and chooses a size where none is said', async () => {
    write({
      'free/config.json': { ...CONFIG, sample_size: null, decay: 0.9999, power: 0.75 },
      'free/scheduler_config.json': { _class_name: 'ScoreSdeVeScheduler' },
    });
    const { exit, stdout, stderr } = await unetc('import', at('free'), '--scheduler', 'none');
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ image_size: 16 });
    expect(stdout).not.toContain('diffusion');
    expect(stderr).toContain('left out what no UNet2DModel has: decay, power');
    expect(stderr).toContain('it names no sample_size; --size says what image_size is, here 16');
  });

  test.each([
    ['no folder', {}, '', 'there is no such folder'],
    ['an empty one', { 'x/readme.txt': '' }, '', 'is there (found readme.txt)'],
    ['no JSON', { 'x/config.json': '{ "sample_size": 16, ' }, 'config.json', 'error[G001]'],
    ['no object', { 'x/config.json': [1] }, 'config.json', 'expected an object'],
    ['something else', { 'x/config.json': { hidden: 3 } }, 'config.json', 'none of these keys is a field'],
    [
      'another class',
      { 'x/config.json': { _class_name: 'UNet2DConditionModel' } },
      'config.json:/_class_name',
      'it attends to a prompt, which no graph can express',
    ],
    [
      'a block that no graph has',
      { 'x/config.json': `{\n  "down_block_types": ["SkipDownBlock2D"],\n  "sample_size": 16\n}` },
      'config.json:/down_block_types/0',
      '(line 2, column 24)',
    ],
    [
      'a scheduler that no graph has',
      { 'x/config.json': CONFIG, 'x/scheduler_config.json': { _class_name: 'ScoreSdeVeScheduler' } },
      'scheduler_config.json:/_class_name',
      '--scheduler none',
    ],
    [
      'thresholding',
      { 'x/config.json': CONFIG, 'x/scheduler_config.json': { ...DDPM, thresholding: true } },
      'scheduler_config.json:/thresholding',
      'clipped at a quantile',
    ],
    [
      'a schedule that no graph has',
      { 'x/config.json': CONFIG, 'x/scheduler_config.json': { ...DDPM, beta_schedule: 'sigmoid' } },
      'scheduler_config.json:/beta_schedule',
      'expected "linear", "scaled_linear" or "squaredcos_cap_v2"',
    ],
    [
      'a learned variance without its channels',
      { 'x/config.json': CONFIG, 'x/scheduler_config.json': { ...DDPM, variance_type: 'learned' } },
      'scheduler_config.json',
      'takes 6 output channels',
    ],
  ])('refuses %s by place and name', async (name, files, place, message) => {
    const folder = name.replaceAll(' ', '-');
    write(
      Object.fromEntries(Object.entries(files).map(([file, value]) => [file.replace('x', folder), value])),
    );
    const { exit, stdout, stderr } = await unetc('import', at(folder));
    expect([exit, stdout]).toEqual([3, '']);
    expect(stderr).toContain(place);
    expect(stderr).toContain(message);
  });
});
