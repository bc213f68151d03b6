// `unetc stats`: what a graph costs before anything runs.

import type { GraphStats } from '../../engine/compile/graph-stats.ts';
import { DEVICES } from '../../engine/expected/devices.ts';
import type { ExpectedPass } from '../../engine/expected/expected-time.ts';
import type { KernelCounts } from '../../engine/expected/kernel-counts.ts';
import { warnAll } from '../../engine/host.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { textTable } from '../text-table.ts';
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
    [...COMPILE_OPTIONS, 'train', 'averages', 'accumulate', 'freeze', 'gradients', 'json'],
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
      const blocks = stats.training === undefined ? '' : await printTraining(stats.training);
      context.stdout(printStats(stats) + blocks);
    });
};

function printStats(stats: GraphStats): string {
  const { macs } = stats;
  const total = macs.conv + macs.linear + macs.attention;
  const share = (n: number) => `${whole(n).padStart(20)}  ${((100 * n) / total).toFixed(1).padStart(5)}%`;
  const rows: (readonly [name: string, value: string])[] = [
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
  const cut = stats.cuts.length;
  if (cut > 0) {
    const from = `${stats.cuts.slice(0, 4).join(', ')}${cut > 4 ? ', …' : ''}`;
    rows.push(['submissions', `${whole(cut + 1).padStart(20)}  cut before dispatch ${from}`]);
  }
  const images = stats.batch === 1 ? '1 image' : `${stats.batch} images`;
  const pass = stats.training === undefined ? 'one forward pass' : 'training';
  const title = `${stats.name}: ${pass} of ${images} of ${stats.image_size.join('x')}`;
  const expected = stats.expected === undefined ? '' : `\n${expectedTable(stats.expected)}`;
  const counts = stats.kernel_counts === undefined ? '' : `\n${countsTable(stats.kernel_counts)}`;
  return `${[title, ...rows.map(([name, value]) => `  ${name.padEnd(22)}${value}`)].join('\n')}\n${expected}${counts}`;
}

/** Every dispatch with the time that is expected of it. */
function expectedTable({ title, ms, dispatches }: ExpectedPass): string {
  const right = (column: string) => ({ title: column, align: 'right' as const });
  const left = (column: string) => ({ title: column, align: 'left' as const });
  const columns = [
    right('#'),
    right('µs'),
    left('bound by'),
    right('steps'),
    right('workgroups'),
    left('kernel and group'),
  ];
  const rows = dispatches.map(({ index, us, bound, steps, workgroups, kernel, group }) => {
    const line = group.replace(/^#\d+ /, '').replace(/ {2,}/g, ' ');
    return [String(index), us.toFixed(1), bound, String(steps), String(workgroups), `${kernel}: ${line}`];
  });
  return `expected on ${title}, by a model and not measured: ${ms.toFixed(3)} ms\n${textTable(columns, rows)}`;
}

/** What the kernels of each tile do; the same tile fused with other things is another kernel, and counted with it. */
function countsTable(counts: readonly KernelCounts[]): string {
  const right = (column: string) => ({ title: column, align: 'right' as const });
  const left = (column: string) => ({ title: column, align: 'left' as const });
  const columns = [
    ...[left('kernel'), right('tile'), right('dispatches'), right('barriers a million')],
    ...['bytes loaded', 'written', 'read', 'shared KiB'].map(right),
  ];
  const alike = new Map<string, KernelCounts[]>();
  for (const one of counts) {
    const key = `${one.source} ${one.tile} ${one.barriers} ${one.read}`;
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  const rows = [...alike.values()].map((group) => {
    const { source, tile, barriers, loaded, written, read } = group[0]!;
    const dispatches = group.reduce((sum, one) => sum + one.dispatches, 0);
    const shared = Math.max(...group.map((one) => one.shared)) / 1024;
    return [
      ...[source, tile, String(dispatches), barriers.toFixed(2)],
      ...[loaded, written, read].map((bytes) => bytes.toFixed(4)),
      shared.toFixed(1),
    ];
  });
  return `for a multiply-accumulate, counted in the kernels' texts:\n${textTable(columns, rows)}`;
}

async function printTraining(training: NonNullable<GraphStats['training']>): Promise<string> {
  const { memorySummary, printBlocks } = await import('../../engine/compile/training-memory.ts');
  return `${memorySummary(training).join('\n')}\n${printBlocks(training)}`;
}

function whole(n: number): string {
  return n.toLocaleString('en-US');
}

function bytes(n: number): string {
  return `${(n / 1e6).toFixed(2)} MB`;
}
