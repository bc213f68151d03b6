// The kernels for matrix units, against a reference that rounds where they round: with real ones where the adapter has them,
// and else with these emulated. What a matrix unit itself does is seen with real ones alone; that the text is valid with them
// is seen on the null backend everywhere.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKernel } from '../../compiler/codegen/wgsl/source.ts';
import type { OpGraph } from '../../compiler/opgraph/opgraph.ts';
import type { AttentionOrder, Shape } from '../../compiler/ops/op.ts';
import { buildSchedule } from '../../compiler/schedule/build.ts';
import { AMD, APPLE, chooseTarget, INTEL, NVIDIA, type Target } from '../../compiler/target.ts';
import { factsOf } from '../../engine/compile/target-choice.ts';
import { trustedToggles } from '../../engine/model/open-program.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import { inspectAdapter, openDevice } from '../../runtime/host/node/dawn.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import { createPipelineCache, type PipelineCache } from '../../runtime/pipelines.ts';
import { createProgram } from '../../runtime/program.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { hashTensor } from '../../runtime/weights/hash.ts';
import { conv, halfOver, norm, silu } from '../fixtures/half-ops.ts';
import { inSlices } from '../fixtures/in-slices.ts';
import { emulateMatrices } from '../fixtures/matrix-emulation.ts';
import { inputsOf, referenceOf } from '../fixtures/model-values.ts';
import { storedRounding } from '../fixtures/rounding.ts';
import { relativeError } from '../on-device.ts';
import { compileOps, type OpsBuilder } from '../run-ops.ts';

const SEED = 5;

/** Values between two of float16 are rounded to either, and so is what is computed from them. */
const ROUNDED = 2e-4;

/** The weights of an attention are rounded, which is no op of the reference. */
const WEIGHTS_ROUNDED = 5e-4;

const FEATURES = ['shader-f16', 'subgroups'];
const LIMITS = { maxComputeWorkgroupStorageSize: 32768 };
const inspected = await inspectAdapter();
const { features, limits } = inspected;
const chosen = chooseTarget(factsOf(inspected));
/** The target whose matrices the adapter has, if it has those of one. */
const real = chosen.matrices === null ? null : chosen;
const runs =
  real !== null ||
  (FEATURES.every((name) => features.has(name)) &&
    (limits.maxComputeWorkgroupStorageSize ?? 0) >= LIMITS.maxComputeWorkgroupStorageSize);

let opened: OpenedDevice;
let pipelines: PipelineCache;
beforeAll(async () => {
  if (!runs) return;
  const { maxComputeWorkgroupStorageSize } = real?.limits ?? LIMITS;
  const requires = { features: real?.features ?? FEATURES, limits: { maxComputeWorkgroupStorageSize } };
  opened = await openDevice({ requires, timeout: 600, toggles: real ? trustedToggles(real.name) : [] });
  pipelines = createPipelineCache(opened.device);
});
afterAll(async () => {
  await opened?.close();
});

async function outputOf(
  ops: OpGraph,
  target: Target,
  edited: (bundle: Bundle) => Bundle = (bundle) => bundle,
): Promise<Tensor> {
  const compiled = edited(compileOps(ops, { target }));
  const bundle = real?.name === target.name ? compiled : emulateMatrices(compiled);
  const params = new Map(ops.nodes.flatMap((n) => (n.op === 'param' ? [[n.attrs.name, n.attrs.shape]] : [])));
  const read = (name: string) => hashTensor(name, params.get(name)!, SEED);
  const program = await createProgram(bundle, read, opened, { cache: pipelines });
  const result = (await program.run(inputsOf(ops, SEED))).get('output')!;
  program.close();
  return result;
}

async function check(
  ops: OpGraph,
  tolerance: number,
  target = real ?? NVIDIA,
  edited?: (bundle: Bundle) => Bundle,
): Promise<void> {
  const result = await outputOf(ops, target, edited);
  const rounds = storedRounding(buildSchedule(ops, target), target);
  const expected = referenceOf(ops, inputsOf(ops, SEED), SEED, undefined, rounds).get('output')!;
  expect(result.shape).toEqual(expected.shape);
  expect(relativeError(result.data, expected.data)).toBeLessThan(tolerance);
}

type Case = readonly [name: string, ops: OpGraph];

const over = (name: string, shape: Shape, body: (b: OpsBuilder, x: number) => number): Case => [
  `${name} over [${shape}]`,
  halfOver(shape, body),
];

/** Each kernel costs a driver seconds, emulated: these cover one of each kind, the others are run by hand. */
const every = process.env.UNETC_EVERY_KERNEL !== undefined;
const byHand = (...cases: readonly Case[]): readonly Case[] => (every ? cases : []);

describe.runIf(runs)('conv_matrix', () => {
  it.each([
    ...byHand(over('3x3', [2, 40, 16, 32], (b, x) => conv(b, x, 36, [3, 3]))),
    over('3x3, large tiles', [1, 5, 32, 32], (b, x) => conv(b, x, 32, [3, 3])),
    over('3x3, image rows that are no run', [1, 8, 14, 14], (b, x) => conv(b, x, 33, [3, 3])),
    ...byHand(over('3x3, less than a block', [2, 8, 3, 4], (b, x) => conv(b, x, 8, [3, 3]))),
    ...byHand(over('3x3, columns by two subgroups', [64, 8, 4, 4], (b, x) => conv(b, x, 128, [3, 3]))),
    ...byHand(over('1x1, columns by four subgroups', [128, 8, 3, 4], (b, x) => conv(b, x, 128, [1, 1]))),
    over('3x3, stride 2', [1, 8, 9, 16], (b, x) => conv(b, x, 8, [3, 3], [2, 2])),
    over('3x3, stride 2, padded behind the image alone', [2, 8, 8, 16], (b, x) => {
      const weights = b
        .weights('down', [8, 8, 3, 3])
        .map((w) => b.add('cast', [w], { dtype: 'f16' }, 'down'));
      return b.add('conv', [x, ...weights], { stride: [2, 2], padding: [0, 0, 1, 1] }, 'down');
    }),
    ...byHand(
      over('nearest upsampling, 3x3', [1, 8, 8, 8], (b, x) => {
        return conv(b, b.add('upsample_nearest', [x], { factor: [2, 2] }, 'up'), 8, [3, 3]);
      }),
    ),
    ...byHand(
      over('conv_transpose', [1, 8, 3, 5], (b, x) => {
        const weights = b.weights('up', [8, 8, 4, 4]).map((w) => b.add('cast', [w], { dtype: 'f16' }, 'up'));
        return b.add(
          'conv_transpose',
          [x, ...weights],
          { stride: [2, 2], padding: [1, 1], output_padding: [0, 0] },
          'up',
        );
      }),
    ),
    over('group_norm, film, silu, 3x3, residual', [2, 64, 8, 8], (b, x) => {
      const h = b.add('film', [norm(b, x, 32), b.embed(128)], {}, 'film');
      return b.add('add', [x, conv(b, silu(b, h), 64, [3, 3])], {}, 'residual');
    }),
    over('a residual block that halves', [2, 36, 8, 32], (b, x) => {
      const pool = (from: number) => b.add('avg_pool', [from], { kernel: [2, 2] }, 'pool');
      return b.add('add', [pool(x), conv(b, pool(silu(b, norm(b, x, 4))), 36, [3, 3])], {}, 'block');
    }),
    ...byHand(
      over('a residual block that doubles', [1, 36, 7, 16], (b, x) => {
        const up = (from: number) => b.add('upsample_nearest', [from], { factor: [2, 2] }, 'up');
        return b.add('add', [up(x), conv(b, up(silu(b, norm(b, x, 4))), 36, [3, 3])], {}, 'block');
      }),
    ),
    over(
      'groups that straddle quads and a concat, and a last quad that is not full',
      [1, 40, 8, 16],
      (b, x) => {
        const joined = b.add('concat', [x, conv(b, x, 26, [1, 1])], {}, 'concat');
        return conv(b, silu(b, norm(b, joined, 22)), 8, [3, 3]);
      },
    ),
    ...byHand(
      over('more groups than are prepared at once', [1, 40, 8, 16], (b, x) => {
        const joined = b.add('concat', [x, conv(b, x, 26, [1, 1])], {}, 'concat');
        return conv(b, silu(b, norm(b, joined, 33)), 8, [3, 3]);
      }),
    ),
    over('statistics of 3x3, channel_add', [2, 8, 14, 14], (b, x) => {
      const h = b.add('channel_add', [conv(b, x, 36, [3, 3]), b.embed(36)], {}, 'time');
      return silu(b, norm(b, h, 4));
    }),
    ...byHand(
      over('1x1 skip of a concat', [1, 36, 8, 16], (b, x) => {
        const joined = b.add('concat', [x, conv(b, x, 20, [1, 1])], {}, 'concat');
        const h = conv(b, silu(b, norm(b, joined, 8)), 8, [3, 3]);
        return b.add('add', [conv(b, joined, 8, [1, 1]), h], {}, 'block');
      }),
    ),
  ])('%s', (_, ops) => check(ops, ROUNDED));
});

describe.runIf(runs)('attention_matrix', () => {
  const attention = (heads: number, channels: number, positions: number, order: AttentionOrder) =>
    over(`${heads} heads of ${channels} channels, ${order}`, [2, 3 * heads * channels, positions], (b, x) =>
      b.add('attention', [x], { heads, order }, 'attention'),
    );
  it.each([
    attention(2, 64, 70, 'heads_first'),
    attention(3, 64, 40, 'qkv_first'),
    attention(1, 132, 40, 'heads_first'),
    attention(2, 7, 33, 'qkv_first'),
  ])('%s', (_, ops) => check(ops, WEIGHTS_ROUNDED));
});

/** Block, norm, skip and statistics, by matrices of every size; what else kernels do does not depend on it. */
const block = over('norm, silu, 3x3, statistics, 1x1 skip of a concat', [1, 36, 8, 16], (b, x) => {
  const joined = b.add('concat', [x, conv(b, x, 20, [3, 3])], {}, 'concat');
  const h = conv(b, silu(b, norm(b, joined, 8)), 8, [3, 3]);
  return b.add('add', [conv(b, joined, 8, [1, 1]), h], {}, 'block');
});
const heads = over('3 heads of 40 channels', [1, 360, 70], (b, x) =>
  b.add('attention', [x], { heads: 3, order: 'heads_first' }, 'attention'),
);
// AMD's are NVIDIA's but for the lanes that are asked for, which the null backend sees
const others = [APPLE, INTEL, ...(real === AMD || every ? [AMD] : [])].filter(
  (target) => real === null || target === real,
);

describe.runIf(runs).each(others)('matrices of $name', (target) => {
  it(block[0], () => check(block[1], ROUNDED, target));
  it(heads[0], () => check(heads[1], WEIGHTS_ROUNDED, target));
});

describe.runIf(runs)('conv_matrix in slices', () => {
  const target = inSlices(real ?? INTEL);
  const sliced = (ops: OpGraph) =>
    buildSchedule(ops, target).groups.filter((group) => group.kind === 'conv' && group.slices > 1);
  it.each([
    block,
    over('3x3, stride 2, residual', [2, 40, 6, 6], (b, x) => {
      const pooled = b.add('avg_pool', [x], { kernel: [2, 2] }, 'pool');
      return b.add('add', [pooled, conv(b, x, 40, [3, 3], [2, 2])], {}, 'block');
    }),
    ...byHand(
      over('1x1, channel_add, statistics', [1, 100, 5, 3], (b, x) => {
        const h = b.add('channel_add', [conv(b, x, 36, [1, 1]), b.embed(36)], {}, 'time');
        return silu(b, norm(b, h, 4));
      }),
    ),
  ])('%s', async (_, ops) => {
    expect(sliced(ops).length).toBeGreaterThan(0);
    await check(ops, ROUNDED, target);
  });

  it('what a sample gets does not depend on how many there are', async () => {
    const over = (batch: number) =>
      halfOver([batch, 72, 4, 4], (b, x) => silu(b, norm(b, conv(b, x, 128, [3, 3]), 32)));
    expect(sliced(over(64)).length).toBe(1);
    const [one, many] = [await outputOf(over(1), target), await outputOf(over(64), target)];
    expect(many.data.slice(0, one.data.length)).toEqual(one.data);
  });
});

it.runIf(runs)(
  'sums are scaled whenever a score is larger than those before it, where there is no slack',
  async () => {
    // under other names, for pipelines are found by them
    const named = (file: string) => file.replace(/\.wgsl$/, '0.wgsl');
    const slackless = ({ manifest, kernels }: Bundle): Bundle => ({
      manifest: { ...manifest, kernels: manifest.kernels.map((one) => ({ ...one, file: named(one.file) })) },
      kernels: new Map([...kernels].map(([file, wgsl]) => [named(file), replaced(wgsl)])),
    });
    const replaced = (wgsl: string) => wgsl.replace('const SLACK = 5.5;', 'const SLACK = 0.0;');
    expect(replaced(readKernel('attention_matrix').wgsl)).toContain('SLACK = 0.0');
    await check(heads[1], WEIGHTS_ROUNDED, real ?? NVIDIA, slackless);
  },
);

it.runIf(runs)('what a sample gets does not depend on how many there are, statistics included', async () => {
  const over = (batch: number) =>
    halfOver([batch, 8, 16, 16], (b, x) => conv(b, silu(b, norm(b, conv(b, x, 128, [3, 3]), 32)), 8, [3, 3]));
  const target = real ?? NVIDIA;
  const [one, many] = [await outputOf(over(1), target), await outputOf(over(64), target)];
  expect(many.data.slice(0, one.data.length)).toEqual(one.data);
});
