// Folders of diffusers: a config.json and a scheduler_config.json, of which one is changed.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadGraph } from '../../../../compiler/graph/load.ts';
import { parameterCount } from '../../../../compiler/graph/parameters.ts';
import { importFolder } from '../../../../engine/checkpoint/import-folder.ts';
import { packageRoot } from '../../../../engine/package.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { type Json, mutateJson, mutateText, textOfJson } from '../mutate-text.ts';
import { bytesOf, consistent, type Parser, readOr, refused, textOf } from '../parser.ts';
import type { Random } from '../random.ts';

const golden = path.join(packageRoot(), 'test', 'golden');

/** The files of one name in the folders of a golden folder. */
function seedsOf(folder: string, file: string): readonly Json[] {
  const names = readdirSync(path.join(golden, folder)).sort();
  return names.map((name) => JSON.parse(readFileSync(path.join(golden, folder, name, file), 'utf8')));
}

const CONFIGS = seedsOf('diffusers', 'config.json');
const SCHEDULERS: readonly Json[] = [
  ...seedsOf('schedulers', 'scheduler_config.json'),
  {
    ...{ _class_name: 'DDIMScheduler', num_train_timesteps: 1000, beta_start: 0.00085, beta_end: 0.012 },
    ...{ beta_schedule: 'scaled_linear', clip_sample: false, set_alpha_to_one: false, steps_offset: 1 },
    ...{ prediction_type: 'v_prediction', timestep_spacing: 'trailing', trained_betas: null },
    ...{ rescale_betas_zero_snr: false, thresholding: false, clip_sample_range: 1.0 },
  },
];

/** One of the seeds, changed by value, by token or by byte, or as it is. */
function documentOf(seeds: readonly Json[], changed: boolean, random: Random): Uint8Array {
  const seed = random.pick(seeds);
  const text = JSON.stringify(seed, null, 1);
  if (!changed) return bytesOf(text);
  const texts = seeds.map((one) => JSON.stringify(one, null, 1));
  if (random.oneIn(8)) return mutateBytes(bytesOf(text), texts.map(bytesOf), random);
  if (random.oneIn(4)) return bytesOf(mutateText(text, texts, random));
  return bytesOf(textOfJson(mutateJson(seed, seeds, random), random));
}

/** Both files, one behind the other, and in front how long the first one is. */
export const imported: Parser = {
  name: 'import',
  share: 8,
  make(random) {
    const which = random.below(3);
    const config = documentOf(CONFIGS, which !== 0, random);
    const scheduler = documentOf(SCHEDULERS, which !== 1, random);
    const head = bytesOf(`${config.length}\n`);
    return new Uint8Array(Buffer.concat([head, config, scheduler]));
  },
  async read(input, at) {
    const first = input.indexOf(10) + 1;
    const end = first + Number(textOf(input.subarray(0, first)));
    mkdirSync(at('model'), { recursive: true });
    writeFileSync(path.join(at('model'), 'config.json'), input.subarray(first, end));
    writeFileSync(path.join(at('model'), 'scheduler_config.json'), input.subarray(end));
    const found = await readOr(['graph'], () => importFolder(at('model'), {}, { note() {}, warn() {} }));
    if (found === refused) return false;
    const { graph } = loadGraph(JSON.stringify(found.spec), 'again');
    consistent(
      parameterCount(graph) === parameterCount(found.graph),
      'the graph that is written is another one when it is read',
    );
    return true;
  },
};
