// One run as a trace: JSON that Perfetto (ui.perfetto.dev) and chrome://tracing open.
//
// Source: "Trace Event Format", complete events (`ph: X`) with times in microseconds, metadata events (`ph: M`).

import type { Profile } from '../../engine/profile/measure.ts';
import type { Interval } from '../../runtime/timing.ts';

const PROCESS = 1;
const DISPATCHES = 1;
const BLOCKS = 2;

/** The trace: dispatches on one track, above them the blocks of the model that they belong to. */
export function traceOf(profile: Profile, timeline: readonly Interval[]): string {
  const origin = timeline.reduce(
    (least, { begin }) => (begin < least ? begin : least),
    timeline[0]?.begin ?? 0n,
  );
  const spans = timeline.map(({ begin, end }) => {
    const ts = Number(begin - origin) / 1e3;
    return { ts, dur: Math.max(Number(end - begin) / 1e3, 0) };
  });
  const title = `${profile.name}, batch ${profile.batch}, ${profile.adapter}`;
  const events = [
    metadata('process_name', title),
    metadata('thread_name', 'blocks', BLOCKS),
    metadata('thread_name', 'dispatches', DISPATCHES),
    ...blocks(profile, spans),
    ...profile.dispatches.map(({ index, kernel, group, path, flops, bytes, ms, ...rates }) => ({
      name: kernel,
      cat: 'dispatch',
      ph: 'X',
      pid: PROCESS,
      tid: DISPATCHES,
      ...spans[index]!,
      args: {
        ...{ index, group, path, flops, bytes, median_ms: ms },
        ...{ gflops_per_s: rates.gflops_per_s, gb_per_s: rates.gb_per_s },
      },
    })),
  ];
  return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: events }, null, 1)}\n`;
}

interface Span {
  readonly ts: number;
  readonly dur: number;
}

/** One event for each stretch of dispatches that belong to one block. */
function blocks(profile: Profile, spans: readonly Span[]): readonly object[] {
  const runs: { name: string; first: number; last: number }[] = [];
  for (const { path, index } of profile.dispatches) {
    const name = blockOf(path);
    const current = runs.at(-1);
    if (current?.name === name) current.last = index;
    else runs.push({ name, first: index, last: index });
  }
  return runs.map(({ name, first, last }) => {
    const { ts } = spans[first]!;
    const end = spans[last]!.ts + spans[last]!.dur;
    return { name, cat: 'block', ph: 'X', pid: PROCESS, tid: BLOCKS, ts, dur: Math.max(end - ts, 0) };
  });
}

/** `input_blocks.4` of `input_blocks.4.0.op`, `middle_block` of `middle_block.1.qkv`. */
function blockOf(path: string): string {
  return /^(?:input_blocks|output_blocks)\.\d+|^[^.]+/.exec(path)?.[0] ?? path;
}

function metadata(name: string, value: string, tid?: number): object {
  return { name, ph: 'M', pid: PROCESS, ...(tid === undefined ? {} : { tid }), args: { name: value } };
}
