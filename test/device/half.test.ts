// Float16: kernels against a reference that rounds where they store, and whole models against PyTorch's float32.

import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import type { OpGraph } from '../../compiler/opgraph/opgraph.ts';
import { buildSchedule } from '../../compiler/schedule/build.ts';
import { GENERIC, HALF, SOFTWARE } from '../../compiler/target.ts';
import { goldenForward } from '../fixtures/golden-forward.ts';
import { gradientOf, gradientsOf } from '../fixtures/gradient-ops.ts';
import { conv, halfOver, norm, silu } from '../fixtures/half-ops.ts';
import { inputsOf, referenceOf, weightsOf } from '../fixtures/model-values.ts';
import { parameterRounding, storedRounding } from '../fixtures/rounding.ts';
import { ADM_NAMES, ALL_NAMES, DIFFUSERS_NAMES, goldenCase, goldenGraph } from '../golden-cases.ts';
import { relativeError, runBundle, testDevice } from '../on-device.ts';
import { runOps } from '../run-ops.ts';

/**
 * Kernels differ from the reference where float32 and float64 round to two neighbours: one value in hundreds, and each
 * product behind it sees that. Where rounding is left out, every value differs.
 */
const ROUNDED = 1e-4;
const UNROUNDED = 1.5e-4;

const SEED = 5;

/** A graph whose output is the gradient of another one. */
function onlyGradientOf(ops: OpGraph): OpGraph {
  const graph = gradientOf(ops);
  return { ...graph, outputs: [{ name: 'output', value: graph.outputs.at(-1)!.value }] };
}

describe.each([GENERIC, SOFTWARE])(
  'kernels of $name round to float16 what they store, and nothing else',
  (target) => {
    const cases: readonly (readonly [string, OpGraph])[] = [
      ['conv', halfOver([2, 6, 5, 7], (b, x) => conv(b, x, 9, [3, 3]))],
      [
        'norm, silu, conv, 1x1 skip of a concat',
        halfOver([1, 12, 5, 7], (b, x) => {
          const joined = b.add('concat', [x, conv(b, x, 20, [1, 1])], {}, 'concat');
          const h = conv(b, silu(b, norm(b, joined, 8)), 8, [3, 3]);
          return b.add('add', [conv(b, joined, 8, [1, 1]), h], {}, 'block');
        }),
      ],
      [
        'norm of more groups than are prepared at once',
        halfOver([1, 40, 5, 7], (b, x) => {
          const joined = b.add('concat', [x, conv(b, x, 26, [1, 1])], {}, 'concat');
          return conv(b, silu(b, norm(b, joined, 33)), 8, [3, 3]);
        }),
      ],
      [
        'residual and norm of a conv',
        halfOver([1, 8, 9], (b, x) => {
          const sum = b.add('add', [x, conv(b, x, 8, [3])], {}, 'residual');
          return silu(b, norm(b, sum, 2));
        }),
      ],
      [
        'attention of whole quads',
        halfOver([2, 24, 33], (b, x) =>
          b.add('attention', [x], { heads: 2, order: 'heads_first' }, 'attention'),
        ),
      ],
      [
        'attention of odd heads',
        halfOver([2, 18, 9], (b, x) =>
          silu(b, b.add('attention', [x], { heads: 2, order: 'heads_first' }, 'attention')),
        ),
      ],
      [
        'avg_pool, a concat inside a quad',
        halfOver([1, 6, 4, 6], (b, x) => {
          const pooled = b.add('avg_pool', [x], { kernel: [2, 2] }, 'pool');
          return b.add('concat', [pooled, conv(b, pooled, 3, [1, 1])], {}, 'concat');
        }),
      ],
      [
        'nearest upsampling, back to float32',
        halfOver([1, 4, 3, 2], (b, x) => {
          const up = b.add('upsample_nearest', [x], { factor: [2, 2] }, 'up');
          return b.add('cast', [silu(b, up)], { dtype: 'f32' }, 'out');
        }),
      ],
      [
        'the gradient of norm, FiLM and silu',
        onlyGradientOf(
          halfOver([2, 16, 5, 7], (b, x) => silu(b, b.add('film', [norm(b, x, 4), b.embed(32)], {}, 'film'))),
        ),
      ],
      [
        'the gradient of attention of whole quads',
        onlyGradientOf(
          halfOver([1, 24, 33], (b, x) => b.add('attention', [x], { heads: 2, order: 'qkv_first' }, 'a')),
        ),
      ],
      [
        'the gradient of attention of odd heads',
        onlyGradientOf(
          halfOver([1, 36, 9], (b, x) =>
            silu(b, b.add('attention', [silu(b, x)], { heads: 2, order: 'heads_first' }, 'a')),
          ),
        ),
      ],
      [
        'the gradient of pooling, a concat and a window',
        onlyGradientOf(
          halfOver([1, 6, 4, 6], (b, x) => {
            const pooled = b.add('avg_pool', [silu(b, x)], { kernel: [2, 2] }, 'pool');
            const joined = b.add('concat', [pooled, conv(b, pooled, 3, [1, 1])], {}, 'concat');
            return b.add('window', [joined], { start: [1, 0, -1], size: [7, 2, 4] }, 'window');
          }),
        ),
      ],
    ];
    it.each(cases)('%s', async (_, ops) => {
      const inputs = inputsOf(ops, SEED);
      for (const fuse of [true, false]) {
        const schedule = buildSchedule(ops, target, fuse ? undefined : []);
        const { data } = (await runOps(ops, SEED, { fuse, target })).get('output')!;
        const expected = referenceOf(ops, inputs, SEED, undefined, storedRounding(schedule, target)).get(
          'output',
        )!;
        const unrounded = referenceOf(ops, inputs, SEED, undefined, parameterRounding(schedule)).get(
          'output',
        )!;
        expect(relativeError(data, expected.data), `fused: ${fuse}`).toBeLessThan(ROUNDED);
        expect(relativeError(data, unrounded.data), `fused: ${fuse}`).toBeGreaterThan(UNROUNDED);
      }
    });
  },
);

describe.each([GENERIC, SOFTWARE])(
  'on $name gradients of parameters are sums in float32 of what is stored in float16',
  (target) => {
    const cases: readonly (readonly [string, OpGraph])[] = [
      [
        'a norm, a convolution to channels that fill no quad, a norm over them',
        halfOver([2, 8, 5, 7], (b, x) => silu(b, norm(b, conv(b, silu(b, norm(b, x, 4)), 6, [3, 3]), 3))),
      ],
      ['a convolution of one pixel', halfOver([3, 6, 1], (b, x) => silu(b, conv(b, silu(b, x), 5, [1])))],
      [
        'FiLM and a vector of each sample',
        halfOver([2, 8, 6], (b, x) => {
          const e = b.add('linear', [b.embed(4), ...b.weights('e', [24, 4])], {}, 'linear');
          const rows = (start: number, end: number) => b.add('slice', [e], { start, end }, 'slice');
          const scaled = b.add('film', [norm(b, x, 2), rows(0, 16)], {}, 'film');
          return silu(b, b.add('channel_add', [scaled, rows(16, 24)], {}, 'add'));
        }),
      ],
      [
        'a table of positions',
        halfOver([2, 6, 5], (b, x) =>
          silu(b, b.add('position_add', [x, b.param('positions', [6, 5])], {}, 'positions')),
        ),
      ],
    ];
    it.each(cases)('%s', async (_, plain) => {
      const ops = gradientsOf(plain);
      const inputs = inputsOf(ops, SEED);
      for (const fuse of [true, false]) {
        const schedule = buildSchedule(ops, target, fuse ? undefined : []);
        const found = await runOps(ops, SEED, { fuse, target });
        const expected = referenceOf(ops, inputs, SEED, undefined, storedRounding(schedule, target));
        for (const [name, { data }] of expected) {
          if (!name.startsWith('gradient.')) continue;
          expect(relativeError(found.get(name)!.data, data), `${name}, fused: ${fuse}`).toBeLessThan(1e-3);
        }
      }
    });
  },
);

/** Whole models on `software`, whose kernels are others: of the large ones by hand. */
const ON_SOFTWARE =
  process.env.UNETC_EVERY_KERNEL === undefined
    ? (['tiny-film', 'tiny-additive-class', 'tiny-conv-transpose', 'tiny-1d', 'tiny-3d'] as const)
    : ALL_NAMES;

describe.each(ON_SOFTWARE)('%s in float16 on software', (name) => {
  it("is within 5e-3 of PyTorch's float32 in every feature vector, from weights that are not expanded", async () => {
    const { graph } = loadGraph(goldenGraph(name), name);
    const { given, expected } = goldenForward(name);
    const options = { batch: given.x.shape[0]!, taps: true, precision: 'f16', target: SOFTWARE } as const;
    const { bundle } = compileGraph(graph, options);
    expect(bundle.manifest.weights.flatMap(({ parts }) => parts).map(({ kind }) => kind)).not.toContain(
      'winograd',
    );
    const results = await runBundle(bundle, weightsOf(graph, goldenCase(name).weights.seed), given);
    for (const [key, { data }] of expected)
      expect(relativeError(results.get(key)!.data, data), key).toBeLessThan(5e-3);
  });
});

/** A processor takes minutes for the large models: they are run by hand. */
const CASES =
  process.env.UNETC_EVERY_KERNEL === undefined
    ? ([
        'tiny-film',
        'tiny-additive-class',
        'tiny-heads-up',
        'tiny-conv-transpose',
        'tiny-1d',
        'tiny-3d',
        ...ADM_NAMES,
        ...DIFFUSERS_NAMES,
      ] as const)
    : ALL_NAMES;

describe.each(CASES)('%s in float16', (name) => {
  it("is within 5e-3 of PyTorch's float32 in every feature vector", async () => {
    const { graph } = loadGraph(goldenGraph(name), name);
    const { given, expected } = goldenForward(name);
    const { bundle } = compileGraph(graph, { batch: given.x.shape[0]!, taps: true, precision: 'f16' });
    const results = await runBundle(bundle, weightsOf(graph, goldenCase(name).weights.seed), given);
    const errors = [...expected].map(
      ([key, { data }]) => [key, relativeError(results.get(key)!.data, data)] as const,
    );
    expect(errors.filter(([, error]) => !(error <= 5e-3))).toEqual([]);
    expect(errors.filter(([, error]) => error > 1e-4).length).toBeGreaterThan(0);
  });
});

/** On processors float16 is computed in float32, and rounded where a driver sees fit: what is seen is that the kernels are right. */
describe.runIf((await testDevice()).features.has('shader-f16')).each(['tiny-film', 'tiny-1d'] as const)(
  '%s in float16 arithmetic',
  (name) => {
    it("is within 5e-3 of PyTorch's float32", async () => {
      const { graph } = loadGraph(goldenGraph(name), name);
      const { given, expected } = goldenForward(name);
      const options = { batch: given.x.shape[0]!, taps: true, precision: 'f16', target: HALF } as const;
      const { bundle } = compileGraph(graph, options);
      const results = await runBundle(bundle, weightsOf(graph, goldenCase(name).weights.seed), given);
      for (const [key, { data }] of expected)
        expect(relativeError(results.get(key)!.data, data), key).toBeLessThan(5e-3);
    });
  },
);
