// `unetc stats`: what a graph costs before anything runs.

import type { GraphStats } from '../../engine/compile/graph-stats.ts';
import { warnAll } from '../../engine/host.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { addOptions, COMPILE_OPTIONS } from '../words/options.ts';
import { parseSettings, type SettingWords } from '../words/settings.ts';

const NOTES = `
A multiply-accumulate is counted as one, over all images of --batch; biases and norms are free. attention is the two
products of queries with keys and of weights with values. Activations are all buffers of the plan together. memory is what
a run takes on the device; the process that runs it takes some 0.2 GB more.`;

export const register: Register = (program, context) => {
  const command = program
    .command('stats')
    .description('prints parameters, multiply-accumulates by kind, activation peak and kernels')
    .argument('<graph>', 'graph file of either form');
  addOptions(command, [...COMPILE_OPTIONS, 'json'], {
    batch: { usual: '1' },
    precision: { usual: 'f32' },
    target: { about: 'what to compile for', usual: 'generic' },
    memory: 'choose kernels within it, such as 600MB',
  })
    .addHelpText('after', NOTES)
    .action(async (path: string, words: SettingWords & { readonly json?: boolean }) => {
      const { graphStats } = await import('../../engine/compile/graph-stats.ts');
      const { stats, warnings } = graphStats(path, parseSettings(words));
      warnAll(hostOf(context), warnings, path);
      context.stdout(words.json ? `${JSON.stringify(stats, null, 2)}\n` : printStats(stats));
    });
};

function printStats(stats: GraphStats): string {
  const { macs } = stats;
  const total = macs.conv + macs.linear + macs.attention;
  const share = (n: number) => `${whole(n).padStart(20)}  ${((100 * n) / total).toFixed(1).padStart(5)}%`;
  const rows: readonly (readonly [name: string, value: string])[] = [
    ['parameters', `${whole(stats.params).padStart(20)}  in ${stats.tensors} tensors`],
    ['multiply-accumulates', whole(total).padStart(20)],
    ['  convolution', share(macs.conv)],
    ['  linear', share(macs.linear)],
    ['  attention', share(macs.attention)],
    ['operations', `${whole(stats.flops).padStart(20)}  floating-point`],
    ['weights', `${bytes(stats.weight_bytes).padStart(20)}  packed ${bytes(stats.packed_weight_bytes)}`],
    [
      'activations',
      `${bytes(stats.activation_peak_bytes).padStart(20)}  without reuse ${bytes(stats.activation_bytes_without_reuse)}`,
    ],
    ['memory', `${bytes(stats.memory_bytes).padStart(20)}  weights and activations together`],
    [
      'dispatches',
      `${whole(stats.dispatches).padStart(20)}  of ${stats.kernels} kernels (${stats.target}, ${stats.precision})`,
    ],
  ];
  const images = stats.batch === 1 ? '1 image' : `${stats.batch} images`;
  const title = `${stats.name}: one forward pass of ${images} of ${stats.image_size.join('x')}`;
  return `${[title, ...rows.map(([name, value]) => `  ${name.padEnd(22)}${value}`)].join('\n')}\n`;
}

function whole(n: number): string {
  return n.toLocaleString('en-US');
}

function bytes(n: number): string {
  return `${(n / 1e6).toFixed(2)} MB`;
}
