// The gradients of ½|f(x)|² by x and by parameters on every target against its meaning in float64, for functions f that together have every op
// with a gradient.

import { afterAll, describe, expect, it } from 'vitest';
import type { OpGraph } from '../../compiler/opgraph/opgraph.ts';
import type { Shape } from '../../compiler/ops/op.ts';
import { gradientsOf } from '../fixtures/gradient-ops.ts';
import { inputsOf, referenceOf } from '../fixtures/model-values.ts';
import { relativeError, testDevice, testTargets } from '../on-device.ts';
import { type OpsBuilder, opsOver, runOps } from '../run-ops.ts';

/** Several ops and as many sums one behind the other, in float32. */
const TOLERANCE = 5e-6;

const SEED = 5;

const VARIANTS = [
  { fuse: true, strict: false },
  { fuse: true, strict: true },
  { fuse: false, strict: true },
] as const;

type Case = readonly [name: string, ops: OpGraph];

function over(name: string, shape: Shape, body: (b: OpsBuilder) => number): Case {
  return [`${name} over [${shape}]`, gradientsOf(opsOver(shape, body))];
}

function check(cases: readonly Case[]): void {
  it.each(cases)('%s', async (_, ops) => {
    const expected = referenceOf(ops, inputsOf(ops, SEED), SEED);
    for (const target of await testTargets()) {
      for (const how of VARIANTS) {
        const result = await runOps(ops, SEED, { target, ...how });
        for (const [name, { data, shape }] of expected) {
          expect(result.get(name)!.shape).toEqual(shape);
          const error = relativeError(result.get(name)!.data, data);
          expect(error, `${name}, ${target.name}, ${JSON.stringify(how)}`).toBeLessThan(TOLERANCE);
        }
      }
    }
  });
}

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

describe('convolutions', () => {
  check([
    over('3x3', [2, 8, 7, 9], (b) => conv(b, b.x, 12, [3, 3])),
    over('3x3 behind 3x3', [1, 36, 8, 8], (b) => conv(b, conv(b, b.x, 20, [3, 3]), 36, [3, 3])),
    over('strided, nothing left over', [2, 4, 9, 7], (b) => conv(b, b.x, 8, [3, 3], [2, 2])),
    over('strided, a row and a column left over', [1, 6, 8, 6], (b) => conv(b, b.x, 5, [3, 3], [2, 2])),
    over('of many pixels and few channels, in parts', [3, 5, 40, 33], (b) => conv(b, b.x, 7, [3, 3])),
    over('of many samples, in parts', [70, 4, 5, 5], (b) => conv(b, b.x, 68, [3, 3])),
    over("by Winograd's algorithm", [2, 72, 17, 18], (b) =>
      conv(b, silu(b, conv(b, b.x, 64, [3, 3])), 100, [3, 3]),
    ),
    over('1x1', [2, 5, 33], (b) => conv(b, b.x, 7, [1])),
    over('3D, depth kept', [1, 4, 3, 6, 5], (b) => conv(b, b.x, 8, [3, 3, 3], [1, 2, 2])),
    over('transposed', [1, 8, 3, 5], (b) => {
      const weights = b.weights('up', [8, 6, 4, 4], 6);
      const attrs = { stride: [2, 2], padding: [1, 1], output_padding: [1, 0] };
      return b.add('conv_transpose', [b.x, ...weights], attrs, 'up');
    }),
    over('behind nearest upsampling', [1, 8, 5, 4], (b) => {
      const up = b.add('upsample_nearest', [b.x], { factor: [2, 2] }, 'up');
      return conv(b, up, 4, [3, 3]);
    }),
  ]);
});

describe('norms', () => {
  check([
    ...(
      [
        [[2, 8, 5], 2],
        [[1, 12, 4, 4], 4],
        [[2, 12, 3, 5], 2],
        [[1, 6, 3, 3], 3],
        [[1, 40, 2, 3, 2], 8],
        [[1, 32, 19, 17], 32],
        [[2, 520, 3, 2], 1],
        [[1, 258, 2, 3], 2],
      ] as const
    ).map(([shape, groups]) => over(`${groups} groups`, shape, (b) => silu(b, norm(b, b.x, groups)))),
    over('behind a convolution, in front of silu and another', [1, 8, 6, 6], (b) =>
      conv(b, silu(b, norm(b, conv(b, b.x, 16, [3, 3]), 4)), 8, [3, 3]),
    ),
    over('with FiLM and silu', [2, 16, 5, 4], (b) =>
      silu(b, b.add('film', [norm(b, b.x, 4), b.embed(32)], {}, 'film')),
    ),
    over('with a slice of a wide projection as FiLM, and relu', [2, 8, 6], (b) => {
      const rows = b.add('linear', [b.embed(6), ...b.weights('rows', [28, 6])], {}, 'time_projections');
      const mine = b.add('slice', [rows], { start: 8, end: 24 }, 'block');
      return b.add('relu', [b.add('film', [norm(b, b.x, 2), mine], {}, 'film')], {}, 'relu');
    }),
    over('behind channel_add', [2, 8, 6, 3], (b) => {
      const added = b.add('channel_add', [conv(b, b.x, 12, [1, 1]), b.embed(12)], {}, 'add');
      return silu(b, norm(b, added, 3));
    }),
    over('of a concat', [1, 8, 4, 4], (b) => {
      const joined = b.add('concat', [b.x, conv(b, b.x, 12, [3, 3])], {}, 'concat');
      return conv(b, silu(b, norm(b, joined, 5)), 4, [3, 3]);
    }),
  ]);
});

describe('attention', () => {
  check(
    (
      [
        [1, 4, 1, 'heads_first'],
        [2, 8, 70, 'qkv_first'],
        [3, 3, 20, 'heads_first'],
        [1, 68, 33, 'qkv_first'],
        [2, 64, 16, 'heads_first'],
      ] as const
    ).map(([heads, width, positions, order]) =>
      over(`${heads} heads of ${width}, ${order}`, [2, 3 * heads * width, positions], (b) =>
        b.add('attention', [b.x], { heads, order }, 'attention'),
      ),
    ),
  );
});

describe('pooling, vectors and positions', () => {
  check([
    over('avg_pool with a rest', [1, 8, 5, 7], (b) => b.add('avg_pool', [b.x], { kernel: [2, 3] }, 'pool')),
    over('the mean over space, linear, relu, linear', [2, 12, 4, 5], (b) => {
      const mean = b.add('avg_pool', [b.x], { kernel: [4, 5] }, 'mean');
      const flat = b.add('reshape', [mean], { shape: [2, 12] }, 'mean');
      const hidden = b.add('linear', [flat, ...b.weights('a', [21, 12])], {}, 'a');
      return b.add('linear', [b.add('relu', [hidden], {}, 'relu'), ...b.weights('b', [7, 21])], {}, 'b');
    }),
    over('rows of a table by labels', [3, 8, 5], (b) => {
      const rows = b.add('embedding', [b.param('table', [1000, 8]), b.labels()], {}, 'labels');
      return b.add('channel_add', [b.x, rows], {}, 'add');
    }),
    over('joined weights', [3, 8, 5], (b) => {
      const parts = (name: string, ...inner: number[]) => {
        const each = [b.param(`${name}0`, [4, ...inner]), b.param(`${name}1`, [8, ...inner])];
        return b.add('param_concat', each, {}, name);
      };
      const wide = b.add('linear', [b.embed(8), parts('w', 8), parts('b')], {}, 'linear');
      const mine = b.add('slice', [wide], { start: 0, end: 8 }, 'slice');
      return b.add('channel_add', [b.x, mine], {}, 'add');
    }),
    over('windows on channels and space', [2, 6, 4, 5], (b) =>
      b.add('window', [silu(b, b.x)], { start: [1, -1, 2], size: [7, 4, 3] }, 'window'),
    ),
    over('windows that begin between quads', [2, 14, 3, 4, 5], (b) =>
      b.add('window', [silu(b, b.x)], { start: [4, 1, -1, 2], size: [6, 3, 6, 3] }, 'window'),
    ),
    over('position_add behind tokens', [2, 6, 5], (b) => {
      const mean = b.add('avg_pool', [b.x], { kernel: [5] }, 'mean');
      const first = b.add('window', [mean], { start: [0, 0], size: [6, 6] }, 'tokens');
      const others = b.add('window', [b.x], { start: [0, -1], size: [6, 6] }, 'tokens');
      const tokens = b.add('add', [first, others], {}, 'tokens');
      return b.add('position_add', [tokens, b.param('positions', [6, 6])], {}, 'positions');
    }),
    over('multiply and scale', [1, 5, 9], (b) =>
      b.add('multiply', [b.x, b.add('scale', [silu(b, b.x)], { factor: -0.3 }, 'scale')], {}, 'multiply'),
    ),
    over('channel_add and film by vectors that x moves', [2, 8, 3, 3], (b) => {
      const mean = b.add('avg_pool', [b.x], { kernel: [3, 3] }, 'mean');
      const flat = b.add('reshape', [mean], { shape: [2, 8] }, 'mean');
      const rows = b.add('linear', [flat, ...b.weights('rows', [16, 8])], {}, 'rows');
      const shifted = b.add('channel_add', [b.x, flat], {}, 'add');
      return b.add('film', [shifted, rows], {}, 'film');
    }),
  ]);

  it.each([3, 64, 130])('log_softmax_gradient of %i classes', async (classes) => {
    const ops = opsOver([2, classes, 1], (b) => {
      const logits = b.add('reshape', [b.x], { shape: [2, classes] }, 'logits');
      const g = b.add('log_softmax_gradient', [logits, b.labels()], {}, 'seed');
      return b.add('reshape', [g], { shape: [2, classes, 1] }, 'seed');
    });
    const inputs = { ...inputsOf(ops, SEED), y: new Uint32Array([classes - 1, 0]) };
    const expected = referenceOf(ops, inputs, SEED).get('output')!;
    for (const target of await testTargets()) {
      const result = (await runOps(ops, SEED, { target, inputs })).get('output')!;
      expect(relativeError(result.data, expected.data), target.name).toBeLessThan(TOLERANCE);
    }
  });
});
