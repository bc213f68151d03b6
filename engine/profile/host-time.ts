// The host's part of a pass: its time on Dawn's null backend, which checks and records as on a GPU, copies what is copied,
// and computes nothing. Both ways to convert layouts are measured, one behind the other: what one leaves to JavaScript's
// collector would be counted as the other's if they took turns.

import type { Bundle } from '../../runtime/bundle.ts';
import { openNullDevice } from '../../runtime/host/node/dawn.ts';
import type { Layouts } from '../../runtime/interface.ts';
import { createProgram, type Program } from '../../runtime/program.ts';
import { type Host, warnAll } from '../host.ts';
import { exampleInputs } from '../model/example-inputs.ts';
import { readModel } from '../model/model-source.ts';
import type { ModelOptions } from '../model/open-model.ts';
import { bundleOf } from '../model/open-program.ts';
import { median } from '../statistics.ts';

/** Passes before the first that counts: V8 compiles what runs often. */
const WARMUP = 5;

/** Bytes of memory that only kernels see: they compute nothing, and the null backend has 512 MB in all. */
const HOLLOW_BYTES = 2 ** 16;

/** What `--json` prints. */
export interface HostTime {
  readonly name: string;
  readonly batch: number;
  readonly image_size: readonly number[];
  readonly target: string;
  readonly precision: string;
  readonly dispatches: number;
  readonly runs: number;
  readonly layouts: readonly LayoutTime[];
}

/** What passes take of the host where layouts are converted by it, or by the adapter as on GPUs. */
export interface LayoutTime {
  readonly converted_by: Layouts;
  /** Median and least wall time of a pass: inputs written, commands recorded and submitted, outputs read. */
  readonly ms: number;
  readonly ms_min: number;
  /** The median of what all threads of the process take of processors. */
  readonly cpu_ms: number;
}

/** Throws GraphError, RuntimeError and, for a bundle with other settings, UsageError. */
export async function measureHost(
  path: string,
  { options, runs }: { readonly options: ModelOptions; readonly runs: number },
  host: Host,
): Promise<HostTime> {
  const source = await readModel(path, options);
  if (source.kind === 'graph') warnAll(host, source.warnings, path);
  const bundle = hollow(await bundleOf(source, options));
  const { manifest } = bundle;
  const opened = await openNullDevice(manifest.requires);
  const nothing = () => new Float32Array();
  try {
    const layouts: LayoutTime[] = [];
    for (const converted_by of ['host', 'adapter'] as const) {
      const program = await createProgram(bundle, nothing, opened, { layouts: converted_by });
      layouts.push({ converted_by, ...(await timePasses(program, runs, host)) });
      program.close();
    }
    return {
      name: source.graph.name,
      batch: manifest.batch,
      image_size: manifest.image_size,
      target: manifest.target,
      precision: manifest.precision,
      dispatches: manifest.dispatches.length,
      runs,
      layouts,
    };
  } finally {
    await opened.close();
  }
}

async function timePasses(
  program: Program,
  runs: number,
  host: Host,
): Promise<Omit<LayoutTime, 'converted_by'>> {
  const inputs = exampleInputs(program.interface);
  const walls: number[] = [];
  const cpu: number[] = [];
  for (let round = -WARMUP; round < runs; round++) {
    host.signal.throwIfAborted();
    const before = process.cpuUsage();
    const begin = performance.now();
    program.reuse?.(await program.run(inputs));
    const wall = performance.now() - begin;
    const { user, system } = process.cpuUsage(before);
    if (round < 0) continue;
    walls.push(wall);
    cpu.push((user + system) / 1000);
  }
  return { ms: median(walls), ms_min: Math.min(...walls), cpu_ms: median(cpu) };
}

/** A bundle whose memory is small where no host writes or reads it: weights, and values between its ends. */
export function hollow({ manifest, kernels }: Bundle): Bundle {
  const { inputs, outputs, state, time_path } = manifest;
  const seen = new Set([...inputs, ...outputs, ...state, ...time_path.values].map(({ slot }) => slot));
  const length = 64;
  return {
    kernels,
    manifest: {
      ...manifest,
      slots: manifest.slots.map((slot, i) =>
        seen.has(i) ? slot : { ...slot, bytes: Math.min(slot.bytes, HOLLOW_BYTES) },
      ),
      arenas: manifest.arenas.map(() => length * 4),
      dispatches: manifest.dispatches.map((dispatch) => {
        const { copies } = dispatch;
        if (copies === undefined) return dispatch;
        return { ...dispatch, copies: copies.map((one) => ({ ...one, first: 0, count: length / 4 })) };
      }),
      weights: manifest.weights.map(({ arena }) => {
        return { arena, offset: 0, length, filled: 'dispatch' as const, parts: [] };
      }),
    },
  };
}
