// The results of benches as a table: text for a terminal, Markdown for a README.

import { type Column, markdownTable, short, textTable } from '../text-table.ts';
import type { BenchResult, PeerResult, Timing } from './bench.ts';
import type { Scaling } from './scaling.ts';

const COLUMNS: readonly Column[] = [
  { title: 'model', align: 'left' },
  { title: 'batch', align: 'right' },
  { title: 'engine', align: 'left' },
  { title: 'median ms', align: 'right' },
  { title: 'least ms', align: 'right' },
  { title: 'to unetc', align: 'right' },
  { title: 'GFLOP/s', align: 'right' },
  { title: 'first result ms', align: 'right' },
  { title: 'memory MB', align: 'right' },
  { title: 'relative L2', align: 'right' },
];

const COLD: readonly Column[] = [
  { title: 'without cache', align: 'right' },
  { title: 'with cache', align: 'right' },
];

/** One row an engine, in the order they were measured; absent ones are named with the reason. */
export function benchTable(results: readonly BenchResult[], format: 'text' | 'markdown'): string {
  const cold = results.some((result) => result.cold_start_with_cache_ms !== null);
  const columns = cold ? COLUMNS.toSpliced(8, 0, ...COLD) : COLUMNS;
  const rows = results.flatMap((result) => {
    const head = [result.name, String(result.batch)];
    return [
      [
        ...head,
        `unetc (${result.target}${result.precision === 'f16' ? ', f16' : ''})`,
        ...cells(result, '1.00', '', cold),
      ],
      ...result.peers.map((peer) => [...head, peer.name, ...peerCells(peer, cold)]),
    ];
  });
  const table = format === 'text' ? textTable(columns, rows) : markdownTable(columns, rows);
  return `${table}\n${notes(results, format)}`;
}

function cells(timing: Timing, ratio: string, error: string, cold: boolean): readonly string[] {
  return [
    short(timing.ms_median),
    short(timing.ms_min),
    ratio,
    short(timing.gflops_per_s),
    timing.cold_start_ms.toFixed(0),
    ...(cold ? [whole(timing.cold_start_without_cache_ms), whole(timing.cold_start_with_cache_ms)] : []),
    (timing.rss_peak_bytes / 1e6).toFixed(0),
    error,
  ];
}

function peerCells(peer: PeerResult, cold: boolean): readonly string[] {
  if (peer.status !== 'measured') return [peer.status];
  return cells(peer, peer.ratio.toFixed(2), peer.relative_l2.toExponential(1), cold);
}

function whole(value: number | null): string {
  return value === null ? '-' : value.toFixed(0);
}

/** The points of a scaling, panel after panel, and what was left out. */
export function scalingTable(scaling: Scaling, markdown = false): string {
  const columns: readonly Column[] = [
    { title: 'varied', align: 'left' },
    { title: 'batch', align: 'right' },
    { title: 'size', align: 'right' },
    { title: 'width', align: 'right' },
    { title: 'median ms', align: 'right' },
    { title: 'least ms', align: 'right' },
    { title: 'GFLOP/s', align: 'right' },
    { title: 'attention', align: 'right' },
  ];
  const rows = scaling.points.map((point) => [
    ...[point.axis, String(point.batch), point.image_size.join('x'), String(point.width)],
    ...[short(point.ms_median), short(point.ms_min), short(point.flops / point.ms_median / 1e6)],
    `${((100 * point.attention_flops) / point.flops).toFixed(1)}%`,
  ]);
  const table = markdown ? markdownTable(columns, rows) : textTable(columns, rows);
  const facts = [
    `${scaling.name}, target ${scaling.target}, on ${scaling.adapter}; medians of ${scaling.runs} passes`,
    ...scaling.skipped.map((reason) => `left out: ${reason}`),
  ];
  return `${table}\n${facts.map((fact) => `${markdown ? '- ' : ''}${fact}\n`).join('')}`;
}

/** What was measured on, once each: engines with their versions, absences with their reasons. */
function notes(results: readonly BenchResult[], format: 'text' | 'markdown'): string {
  const [first] = results;
  if (!first) return '';
  const facts = new Set<string>();
  for (const result of results) {
    facts.add(
      `${result.name}, batch ${result.batch}: ${result.dispatches} dispatches of ${result.pipelines} pipelines`,
    );
  }
  for (const result of results) {
    facts.add(`unetc: ${result.version}, Node ${result.node}, on ${result.adapter}`);
    for (const peer of result.peers) {
      if (peer.status === 'measured') facts.add(`${peer.name}: ${peer.version}, on ${peer.device}`);
      else facts.add(`${peer.name}, ${peer.status}: ${peer.reason.split('\n')[0]}`);
    }
  }
  facts.add(
    `${first.cpu}, ${first.cpus} processors; medians of ${first.runs} passes after ${first.warmup}, engines in turn`,
  );
  facts.add(
    "first result: from the start of the process, with weights in a file and the driver's cache as it was found",
  );
  facts.add(
    first.training
      ? "relative L2: unetc's losses against the engine's; with dropout each has masks of its own"
      : "relative L2: unetc's output against the engine's",
  );
  if (first.training)
    facts.add('a step of training: forward pass, loss, backward pass, AdamW, one moving average');
  return [...facts].map((fact) => `${format === 'markdown' ? '- ' : ''}${fact}\n`).join('');
}
