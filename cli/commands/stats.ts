// `unetc stats`: what a graph costs before anything runs.

import { DEVICES } from '../../engine/expected/devices.ts';
import { warnAll } from '../../engine/host.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { addOptions, COMPILE_OPTIONS } from '../words/options.ts';
import { parseSettings, type SettingWords } from '../words/settings.ts';

const NOTES = `
A multiply-accumulate is counted as one, over all images of --batch; biases and norms are free. attention is the two
products of queries with keys and of weights with values. Activations are all buffers of the plan together. memory is what
a run takes on the device; the process that runs it takes some 0.2 GB more.

A pass is cut into submissions of half a second of a slow GPU (10^12 operations a second), so that no driver's watchdog
resets it; results stay the same.

With --device every dispatch is listed with the time that a model of that GPU expects of it, and by what it is bound: the
steps of its loop, arithmetic, memory, or the dispatch itself. Nothing was measured: unetc profile prints the same model
beside times, and docs/gpu.md what it assumes. It knows ${DEVICES.map(({ name }) => name).join(', ')}.

With --kernels barriers, bytes loaded from memory and bytes of workgroup memory written and read are counted for a
multiply-accumulate, in one round of a workgroup's loop, of the kernels of GPUs.`;

interface Words extends SettingWords {
  readonly device?: string;
  readonly kernels?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('stats')
    .description('prints parameters, multiply-accumulates by kind, activation peak and kernels')
    .argument('<graph>', 'graph file of either form');
  addOptions(
    command,
    [...COMPILE_OPTIONS, 'train', 'averages', 'accumulate', 'clipGradients', 'freeze', 'gradients', 'json'],
    {
      batch: { usual: '1' },
      precision: { usual: 'f32' },
      target: { about: 'what to compile for', usual: 'generic' },
      memory: 'choose kernels, and blocks that training computes again, within it, such as 600MB',
      train: 'of a whole step of training: loss, gradients, AdamW, moving averages',
      gradients: 'of the losses and gradients of a training batch',
    },
  )
    .option('--device <NAME>', 'expect the time of each dispatch on this GPU, such as h100')
    .option('--kernels', 'count what kernels of products do for a multiply-accumulate, in their texts')
    .addHelpText('after', NOTES)
    .action(async (path: string, words: Words) => {
      const { graphStats } = await import('../../engine/compile/graph-stats.ts');
      const { stats, warnings } = graphStats(path, parseSettings(words), words);
      warnAll(hostOf(context), warnings, path);
      if (words.json) return context.stdout(`${JSON.stringify(stats, null, 2)}\n`);
      const { printStats } = await import('../stats-table.ts');
      context.stdout(printStats(stats));
    });
};
