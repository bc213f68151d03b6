// Convolutions whose inner dimension workgroups share: against the reference, and with the bits that a sample has alone.

import { afterAll, describe, expect, it } from 'vitest';
import type { OpGraph } from '../../compiler/opgraph/opgraph.ts';
import type { Shape } from '../../compiler/ops/op.ts';
import { buildSchedule } from '../../compiler/schedule/build.ts';
import { samplesOfSlices } from '../../compiler/schedule/choices/slices.ts';
import type { ScheduledConv } from '../../compiler/schedule/schedule.ts';
import { GENERIC } from '../../compiler/target.ts';
import { inSlices } from '../fixtures/in-slices.ts';
import { inputsOf, referenceOf } from '../fixtures/model-values.ts';
import { relativeError, testDevice } from '../on-device.ts';
import { type OpsBuilder, opsOver, runOps } from '../run-ops.ts';

const SEED = 5;
const TOLERANCE = 2e-6;
const SLICED = inSlices(GENERIC);

afterAll(async () => {
  (await testDevice()).check();
});

function conv(b: OpsBuilder, from: number, outputs: number, kernel: Shape, stride?: Shape): number {
  const name = `conv${from}`;
  const weights = b.weights(name, [outputs, b.typeOf(from).shape[1]!, ...kernel]);
  const padding = kernel.map((k) => (k - 1) / 2);
  return b.add('conv', [from, ...weights], { stride: stride ?? kernel.map(() => 1), padding }, name);
}

function norm(b: OpsBuilder, from: number, groups: number): number {
  const channels = b.typeOf(from).shape[1]!;
  return b.add('group_norm', [from, ...b.weights(`norm${from}`, [channels])], { groups, eps: 1e-5 }, 'norm');
}

const silu = (b: OpsBuilder, from: number) => b.add('silu', [from], {}, 'silu');

/** The convolutions of a graph that are sliced. */
function slicedIn(ops: OpGraph): readonly ScheduledConv[] {
  return buildSchedule(ops, SLICED).groups.flatMap((group) =>
    group.kind === 'conv' && group.slices > 1 ? [group] : [],
  );
}

const cases: readonly (readonly [name: string, shape: Shape, body: (b: OpsBuilder) => number])[] = [
  ['3x3', [2, 70, 4, 4], (b) => conv(b, b.x, 36, [3, 3])],
  ['3x3 of more than a tile', [1, 40, 9, 11], (b) => conv(b, b.x, 68, [3, 3])],
  ['3x3, stride 2', [2, 40, 8, 8], (b) => conv(b, b.x, 33, [3, 3], [2, 2])],
  ['1x1 of many channels', [1, 300, 2, 3], (b) => conv(b, b.x, 20, [1, 1])],
  ['more taps than are in the table', [1, 20, 7, 7], (b) => conv(b, b.x, 8, [5, 5])],
  ['three dimensions', [1, 20, 2, 3, 3], (b) => conv(b, b.x, 12, [3, 3, 3])],
  ['few channels', [1, 64, 16, 16], (b) => conv(b, b.x, 6, [3, 3])],
  [
    'conv_transpose',
    [1, 40, 3, 5],
    (b) => {
      const weights = b.weights('up', [40, 36, 4, 4], 36);
      const attrs = { stride: [2, 2], padding: [1, 1], output_padding: [0, 0] };
      return b.add('conv_transpose', [b.x, ...weights], attrs, 'up');
    },
  ],
  [
    'norm, film, silu, residual',
    [2, 64, 8, 8],
    (b) => {
      const scaled = b.add('film', [norm(b, b.x, 32), b.embed(128)], {}, 'film');
      return b.add('add', [b.x, conv(b, silu(b, scaled), 64, [3, 3])], {}, 'residual');
    },
  ],
  [
    'channel_add, and statistics for a norm, of tiles that are not full',
    [2, 40, 9, 9],
    (b) => {
      const added = b.add('channel_add', [conv(b, b.x, 32, [3, 3]), b.embed(32)], {}, 'time');
      return conv(b, silu(b, norm(b, added, 32)), 8, [3, 3]);
    },
  ],
  ['statistics of few pixels', [2, 40, 3, 3], (b) => silu(b, norm(b, conv(b, b.x, 36, [3, 3]), 4))],
  [
    'a concat that is normed, with its 1x1 skip',
    [2, 36, 4, 4],
    (b) => {
      const joined = b.add('concat', [b.x, conv(b, b.x, 28, [1, 1])], {}, 'concat');
      const h = silu(b, norm(b, joined, 16));
      return b.add('add', [conv(b, joined, 8, [1, 1]), conv(b, h, 8, [3, 3])], {}, 'block');
    },
  ],
  [
    'a residual block that halves',
    [2, 36, 8, 8],
    (b) => {
      const pool = (from: number) => b.add('avg_pool', [from], { kernel: [2, 2] }, 'pool');
      const h = conv(b, pool(silu(b, norm(b, b.x, 4))), 36, [3, 3]);
      return b.add('add', [pool(b.x), h], {}, 'block');
    },
  ],
  [
    'a residual block that doubles',
    [2, 36, 5, 4],
    (b) => {
      const up = (from: number) => b.add('upsample_nearest', [from], { factor: [2, 2] }, 'up');
      const h = conv(b, up(silu(b, norm(b, b.x, 4))), 36, [3, 3]);
      return b.add('add', [up(b.x), h], {}, 'block');
    },
  ],
];

describe('a convolution in slices', () => {
  it.each(cases)('%s over [%s]', async (_, shape, body) => {
    const ops = opsOver(shape, body);
    expect(slicedIn(ops).length).toBeGreaterThan(0);
    const expected = referenceOf(ops, inputsOf(ops, SEED), SEED).get('output')!;
    const result = (await runOps(ops, SEED, { target: SLICED })).get('output')!;
    expect(relativeError(result.data, expected.data)).toBeLessThan(TOLERANCE);
  });
});

it('gives a sample the same bits alone and in a batch that is computed in parts', async () => {
  const over = (batch: number) =>
    opsOver([batch, 16, 64, 64], (b) => silu(b, norm(b, conv(b, b.x, 16, [3, 3]), 4)));
  const batch = 50;
  const many = over(batch);
  const [group] = slicedIn(many);
  expect(samplesOfSlices(many, group!)).toBeLessThan(batch);
  const inputs = inputsOf(many, SEED);
  const together = (await runOps(many, SEED, { target: SLICED, inputs })).get('output')!;
  const size = together.data.length / batch;
  for (const sample of [0, 43, 49]) {
    const own = {
      x: { shape: [1, 16, 64, 64], data: inputs.x.data.slice(sample * size, (sample + 1) * size) },
      timesteps: [inputs.timesteps[sample]!],
    };
    const alone = (await runOps(over(1), SEED, { target: SLICED, inputs: own })).get('output')!;
    expect(together.data.slice(sample * size, (sample + 1) * size)).toEqual(alone.data);
  }
});
