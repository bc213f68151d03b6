// Which timesteps of the training process a shorter sampling process keeps, as improved-diffusion's
// `space_timesteps` and `SpacedDiffusion` choose them.
//
//   `50`        50 timesteps spread evenly, first and last included
//   `10,10,20`  the process in equal sections, so many timesteps from each
//   `ddim50`    50 timesteps at one whole stride from timestep 0, as in the DDIM paper
//   ``          every timestep
//
// The kept process has beta_i = 1 - alphas_cumprod[t_i] / alphas_cumprod[t_i-1].

import { RuntimeError } from '../errors.ts';
import { cumulativeAlphas } from './schedule.ts';

/** The fewest timesteps a sampling process can have: `1` would keep timestep 0 alone, where no noise is left to remove. */
const FEWEST_KEPT = 2;

/**
 * Timesteps of the training process that are kept, ascending.
 * @param steps T of the training process
 * @throws RuntimeError('input') for a respacing that is malformed or cannot be had, saying which counts can
 */
export function spaceTimesteps(steps: number, respacing: string): readonly number[] {
  const kept = respacing === '' ? range(0, steps) : parseRespacing(steps, respacing);
  if (kept.length < FEWEST_KEPT) {
    throw unspaceable(respacing, `keeps ${kept.length} of ${steps} timesteps; keep at least ${FEWEST_KEPT}`);
  }
  return kept;
}

/** Betas of the process that visits only `timesteps` (ascending) of the process with `betas`. */
export function respaceBetas(betas: Float64Array, timesteps: readonly number[]): Float64Array {
  const cumulative = cumulativeAlphas(betas);
  return Float64Array.from(timesteps, (t, i) => {
    const earlier = i === 0 ? 1 : cumulative[timesteps[i - 1]!]!;
    return 1 - cumulative[t]! / earlier;
  });
}

function parseRespacing(steps: number, respacing: string): readonly number[] {
  const ddim = /^ddim(\d+)$/.exec(respacing);
  if (ddim !== null) return strideEvenly(steps, Number(ddim[1]), respacing);
  if (/^\d+(,\d+)*$/.test(respacing))
    return divideSections(steps, respacing.split(',').map(Number), respacing);
  throw unspaceable(
    respacing,
    'is not a respacing; write a count (50), ddim and a count (ddim50), or a count a section (10,10,20)',
  );
}

function strideEvenly(steps: number, count: number, respacing: string): readonly number[] {
  // Counts fall as the stride grows: the last one above `count` and the first one below it are its neighbours.
  let more: number | null = null;
  let fewer: number | null = null;
  for (let stride = 1; stride < steps && fewer === null; stride++) {
    const reached = Math.ceil(steps / stride);
    if (reached === count) return range(0, steps, stride);
    if (reached > count) more = reached;
    else fewer = reached;
  }
  const near = [fewer, more].filter((n) => n !== null).map((n) => `ddim${n}`);
  throw unspaceable(
    respacing,
    `cannot be had: no whole stride through ${steps} timesteps makes ${count}; use ${near.join(' or ')}`,
  );
}

function divideSections(steps: number, counts: readonly number[], respacing: string): readonly number[] {
  const base = Math.floor(steps / counts.length);
  const longer = steps % counts.length;
  let start = 0;
  const kept = new Set<number>();
  counts.forEach((count, section) => {
    const size = base + (section < longer ? 1 : 0);
    if (count > size) {
      throw unspaceable(
        respacing,
        `section ${section + 1} of ${counts.length} has ${size} of the ${steps} timesteps and cannot give ${count}; ask for at most ${size}`,
      );
    }
    const stride = count <= 1 ? 1 : (size - 1) / (count - 1);
    // A running sum, not a product: its rounding errors are part of which timesteps the original keeps.
    let position = 0;
    for (let i = 0; i < count; i++, position += stride) kept.add(start + roundHalfEven(position));
    start += size;
  });
  return [...kept].sort((a, b) => a - b);
}

/** Rounds to the nearest integer and ties to the even one, as Python's `round`. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const above = x - floor;
  if (above !== 0.5) return above < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function range(start: number, end: number, stride = 1): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((end - start) / stride)) }, (_, i) => start + i * stride);
}

function unspaceable(respacing: string, why: string): RuntimeError {
  return new RuntimeError('input', `steps: ${JSON.stringify(respacing)} ${why}`);
}
