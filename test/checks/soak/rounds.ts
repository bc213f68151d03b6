// Forward passes, loads and steps of training, over and over in one process: what it holds of threads, descriptors and memory.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import { batchesBy, load, train } from '../../../engine/api.ts';
import type { Tensor } from '../../../runtime/tensor.ts';
import { SMALL_GRAPH } from '../../fixtures/small-graph.ts';

/** What the process holds at a moment. */
export interface Held {
  readonly threads: number;
  readonly descriptors: number;
  readonly megabytes: number;
}

export interface Soaked {
  readonly what: string;
  readonly rounds: number;
  /** After a quarter of the rounds, when everything that is made once is there, and after all. */
  readonly first: Held;
  readonly last: Held;
}

/** What memory may differ by between two moments that hold the same: a collection of garbage is due, or just was. */
const MEGABYTES = 64;

/** What the process holds behind a collection of garbage, where the system tells. */
export function held(): Held {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    threads: field('Threads'),
    descriptors: fs.readdirSync('/proc/self/fd').length,
    megabytes: Math.round(field('VmRSS') / 1024),
  };
}

/** What has grown between the two moments; empty where nothing has. */
export function grown({ what, rounds, first, last }: Soaked): readonly string[] {
  const found: string[] = [];
  if (last.threads > first.threads) found.push(`${first.threads} threads became ${last.threads}`);
  if (last.descriptors > first.descriptors)
    found.push(`${first.descriptors} descriptors became ${last.descriptors}`);
  if (last.megabytes > first.megabytes + MEGABYTES)
    found.push(`${first.megabytes} MB became ${last.megabytes}`);
  return found.map((text) => `${what}, ${rounds} times: ${text}`);
}

const GRAPH = JSON.parse(SMALL_GRAPH) as object;
const X: Tensor = { shape: [1, 1, 8, 8], data: new Float32Array(64).fill(0.5) };

/** Forward passes of one model. Throws where a pass gives other values than the first. */
export async function soakPasses(rounds: number, tell: (text: string) => void = () => {}): Promise<Soaked> {
  const model = await load(GRAPH, { weights: 'hash:1' });
  try {
    const run = async (): Promise<Float32Array> => (await model.run({ x: X, timesteps: [7] })).output.data;
    const expected = (await run()).slice();
    return await soak('passes', rounds, tell, async () => {
      const found = await run();
      if (found.some((value, i) => value !== expected[i]))
        throw new Error('a pass gives other values than the first');
    });
  } finally {
    await model.close();
  }
}

/** Models that are opened, run once and closed. */
export function soakLoads(rounds: number, tell: (text: string) => void = () => {}): Promise<Soaked> {
  return soak('loads', rounds, tell, async () => {
    const model = await load(GRAPH, { weights: 'hash:1' });
    try {
      await model.run({ x: X, timesteps: [7] });
    } finally {
      await model.close();
    }
  });
}

/**
 * Steps of one run of training, on images of 4x4, that does all that runs do: a row of the log at every tenth step, a checkpoint
 * at every twentieth, and from a thousand steps on eight times pictures of samples, from a model of their own: the first of
 * them grow what a driver keeps.
 * @throws where the run is not as far as it was taken
 */
export async function soakSteps(
  rounds: number,
  tell: (text: string) => void = () => {},
  graph: object = GRAPH,
): Promise<Soaked> {
  const output = fs.mkdtempSync(path.join(os.tmpdir(), 'unetc-soak-'));
  const x_start = (step: number): Tensor => ({
    shape: [2, 1, 4, 4],
    data: Float32Array.from({ length: 32 }, (_, i) => Math.sin(i + step)),
  });
  const run = train(graph, {
    ...{ data: batchesBy((step) => ({ x_start: x_start(step) })), batch: 2, steps: rounds, size: 4 },
    ...{
      output,
      save_interval: 20,
      sample_interval: rounds < 1000 ? 0 : Math.ceil(rounds / 8),
      keep: 2,
      schedule_sampler: 'loss-second-moment',
    },
  });
  try {
    const soaked = await soak('steps', rounds, tell, async () => void (await run.next()));
    const { position } = await run.result();
    if (position !== rounds) throw new Error(`the run is at step ${position} of ${rounds}`);
    return soaked;
  } finally {
    await run.close();
    fs.rmSync(output, { recursive: true, force: true });
  }
}

async function soak(
  what: string,
  rounds: number,
  tell: (text: string) => void,
  round: () => Promise<void>,
): Promise<Soaked> {
  const warm = Math.max(1, Math.ceil(rounds / 4));
  let first: Held | null = null;
  for (let i = 1; i <= rounds; i++) {
    await round();
    if (i === warm) first = held();
    if (i % warm === 0) tell(`${what} ${i} of ${rounds}: ${JSON.stringify(held())}`);
  }
  return { what, rounds, first: first ?? held(), last: held() };
}
