// What `unetc stats` prints of a graph: its counts, and the tables that are asked for.

import type { GraphStats } from '../engine/compile/graph-stats.ts';
import { memorySummary, printBlocks } from '../engine/compile/training-memory.ts';
import type { ExpectedPass } from '../engine/expected/expected-time.ts';
import type { KernelCounts } from '../engine/expected/kernel-counts.ts';
import { textTable } from './text-table.ts';

export function printStats(stats: GraphStats): string {
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
  const blocks = stats.training === undefined ? '' : printTraining(stats.training);
  const counts = stats.kernel_counts === undefined ? '' : `\n${countsTable(stats.kernel_counts)}`;
  return `${[title, ...rows.map(([name, value]) => `  ${name.padEnd(22)}${value}`)].join('\n')}\n${expected}${counts}${blocks}`;
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

function printTraining(training: NonNullable<GraphStats['training']>): string {
  return `${memorySummary(training).join('\n')}\n${printBlocks(training)}`;
}

function whole(n: number): string {
  return n.toLocaleString('en-US');
}

function bytes(n: number): string {
  return `${(n / 1e6).toFixed(2)} MB`;
}
