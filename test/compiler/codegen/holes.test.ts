// What kernels leave open, seen from what fills it: over every golden graph and a graph of the ops that no model has in
// float16, each hook of each kernel is filled somewhere, each size is read by some text and given by some dispatch, each
// constant is used, and each fragment is taken.

import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filledHooks } from '../../../compiler/codegen/wgsl/fragment.ts';
import { writtenOutHooks } from '../../../compiler/codegen/wgsl/inline.ts';
import {
  type FragmentFile,
  type KernelFile,
  readFragment,
  readKernel,
} from '../../../compiler/codegen/wgsl/source.ts';
import { writeOut } from '../../../compiler/codegen/wgsl/write-out.ts';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import type { OpGraph } from '../../../compiler/opgraph/opgraph.ts';
import { GENERIC, NVIDIA, TARGETS } from '../../../compiler/target.ts';
import type { Bundle } from '../../../runtime/bundle.ts';
import { gradientOf, gradientsOf } from '../../fixtures/gradient-ops.ts';
import { conv, halfOver, norm } from '../../fixtures/half-ops.ts';
import { inSlices } from '../../fixtures/in-slices.ts';
import { tinyClassifier } from '../../fixtures/tiny-classifier.ts';
import { ALL_NAMES, CLASSIFIER_NAMES, goldenGraph } from '../../golden-cases.ts';
import { compileOps, opsOver } from '../../run-ops.ts';
import { goldenTraining } from '../../training-cases.ts';

const folder = new URL('../../../compiler/codegen/kernels/', import.meta.url);
const namesIn = (at: URL) =>
  readdirSync(at).flatMap((file) => (file.endsWith('.wgsl') ? [file.replace('.wgsl', '')] : []));
const kernels = namesIn(folder) as KernelFile[];
const fragments = namesIn(new URL('fragments/', folder)).filter((name) => name !== 'statistics_layout');

/** Hooks that nobody fills: to take them away would change the bytes of texts that drivers have compiled. */
const IDLE_HOOKS: Partial<Record<KernelFile, readonly string[]>> = {
  winograd_output_subgroup: ['fn prepare_quad(sample: u32, quad: u32) {'],
};

/** Sizes that are zero in every dispatch: a norm's vectors and products are the first of the weights, and small models have one arena. */
const ZERO_SIZES: Partial<Record<KernelFile, readonly string[]>> = {
  affine_subgroup: ['gamma_at'],
  avg_pool_prologue: ['gamma_at'],
  conv_weight_gradient: ['gamma_at'],
  gradient_scale: ['first'],
  map: ['gamma_at'],
  norm_sums: ['gamma_at'],
  norm_sums_subgroup: ['gamma_at'],
  pack_linear: ['first'],
  pack_product: ['first'],
  pack_winograd: ['first'],
  square_sums: ['first'],
};

/** The texts that a kernel's file is linked to, and the sizes of the dispatches that run them. */
interface Uses {
  readonly texts: Set<string>;
  readonly sizes: (readonly number[])[];
}

const uses = usesOf(bundles());

/** Convolutions of few and of many pixels in slices: skip, film, a pooled residual, statistics. */
function slicedBlock(): OpGraph {
  return halfOver([50, 64, 64, 64], (b, x) => {
    const rows = b.add('linear', [b.embed(4), ...b.weights('rows', [196, 4])], {}, 'time_projections');
    const slice = (start: number, end: number) => b.add('slice', [rows], { start, end }, 'block');
    const scaled = b.add('film', [norm(b, x, 4), slice(4, 132)], {}, 'film');
    const h = b.add('add', [conv(b, x, 64, [1, 1]), conv(b, scaled, 64, [3, 3])], {}, 'block');
    const added = b.add('channel_add', [conv(b, norm(b, h, 4), 64, [3, 3]), slice(132, 196)], {}, 'time');
    const pool = (from: number) => b.add('avg_pool', [from], { kernel: [2, 2] }, 'pool');
    return b.add('add', [pool(added), conv(b, pool(norm(b, added, 4)), 64, [3, 3])], {}, 'half');
  });
}

function bundles(): readonly Bundle[] {
  const ofModels = ALL_NAMES.filter((name) => name !== 'cifar10').flatMap((name) => {
    const { graph } = loadGraph(goldenGraph(name), name);
    return TARGETS.flatMap((target) =>
      (['f32', 'f16'] as const).flatMap((precision) =>
        [{}, { fuse: false }, { strict: true }].map(
          (how) => compileGraph(graph, { target, precision, taps: true, ...how }).bundle,
        ),
      ),
    );
  });
  const ofOps = [
    halfOver([1, 6, 4, 6], (b, x) => {
      const pooled = b.add('avg_pool', [x], { kernel: [2, 2] }, 'pool');
      const joined = b.add('concat', [pooled, conv(b, pooled, 3, [1, 1])], {}, 'concat');
      return b.add('upsample_linear', [joined], { size: [5, 7] }, 'up');
    }),
    gradientOf(
      halfOver([1, 18, 9], (b, x) =>
        b.add('attention', [x], { heads: 2, order: 'heads_first' }, 'attention'),
      ),
    ),
    gradientsOf(
      halfOver([2, 6, 5], (b, x) =>
        b.add('position_add', [x, b.param('positions', [6, 5])], {}, 'positions'),
      ),
    ),
    gradientsOf(halfOver([2, 6, 1], (b, x) => conv(b, x, 5, [1]))),
    halfOver([1, 6, 2, 4, 6], (b, x) => {
      const part = b.add('window', [x], { start: [1, 1, -1, 2], size: [4, 1, 5, 3] }, 'window');
      return b.add('position_add', [part, b.param('positions', [4, 1, 5, 3])], {}, 'positions');
    }),
    opsOver([1, 12, 2, 4, 6], (b) =>
      b.add('window', [b.x], { start: [4, 1, 1, 2], size: [4, 1, 3, 3] }, 'window'),
    ),
    opsOver([1, 128, 40, 40], (b) => norm(b, b.x, 1)),
    opsOver([1, 8, 4, 4], (b) => norm(b, b.add('concat', [b.x, b.image([4, 4])], {}, 'concat'), 4)),
    opsOver([1, 36, 4, 4], (b) => norm(b, b.x, 36)),
    opsOver([1, 36, 4, 4], (b) => norm(b, b.add('concat', [b.x, b.image([4, 4])], {}, 'concat'), 72)),
    opsOver([1, 8, 4, 4], (b) => {
      const joined = b.add('concat', [b.x, b.image([4, 4])], {}, 'concat');
      const rows = b.add('linear', [b.embed(4), ...b.weights('rows', [40, 4])], {}, 'time_projections');
      const mine = b.add('slice', [rows], { start: 8, end: 40 }, 'block');
      const scaled = b.add('film', [norm(b, joined, 4), mine], {}, 'film');
      return b.add('avg_pool', [b.add('silu', [scaled], {}, 'silu')], { kernel: [2, 2] }, 'pool');
    }),
    // all that Winograd's transforms on GPUs have in front of them and behind them
    opsOver([2, 36, 16, 16], (b) => {
      const joined = b.add('concat', [b.x, b.image([16, 16])], {}, 'concat');
      const rows = b.add('linear', [b.embed(4), ...b.weights('rows', [216, 4])], {}, 'time_projections');
      const mine = b.add('slice', [rows], { start: 8, end: 152 }, 'block');
      const scaled = b.add('film', [norm(b, joined, 4), mine], {}, 'film');
      const weights = b.weights('wide', [64, 72, 3, 3]);
      const attrs = { stride: [1, 1], padding: [1, 1] };
      const first = b.add('conv', [b.add('silu', [scaled], {}, 'silu'), ...weights], attrs, 'wide');
      const again = b.weights('again', [64, 64, 3, 3]);
      const h = b.add('conv', [b.add('silu', [norm(b, first, 4)], {}, 'silu'), ...again], attrs, 'again');
      const added = b.add('slice', [rows], { start: 152, end: 216 }, 'added');
      return norm(b, b.add('channel_add', [h, added], {}, 'time'), 4);
    }),
    // more samples than Winograd's planes are there for at once
    opsOver([64, 64, 128, 128], (b) => {
      const weights = b.weights('conv', [64, 64, 3, 3]);
      return b.add('conv', [b.x, ...weights], { stride: [1, 1], padding: [1, 1] }, 'conv');
    }),
  ];
  const ofClassifiers = CLASSIFIER_NAMES.flatMap((name) => {
    const { graph } = loadGraph(goldenGraph(name), name);
    return TARGETS.flatMap((target) =>
      (['f32', 'f16'] as const).flatMap((precision) =>
        [true, false].map((fuse) => compileGraph(graph, { target, precision, fuse, gradient: true }).bundle),
      ),
    );
  });
  const ofClassifierTraining = TARGETS.map((target) => {
    const { graph } = loadGraph(tinyClassifier('adaptive'), 'tiny-classifier');
    return compileGraph(graph, { target, batch: 2, gradients: true }).bundle;
  });
  const ofDropout = TARGETS.flatMap((target) => {
    const { graph } = loadGraph(goldenGraph('tiny-additive-class'), 'tiny-additive-class');
    return compileGraph(graph, { target, gradients: true, dropout: true }).bundle;
  });
  const ofTraining = ['hybrid', 'kl', 'additive-class', 'conv-transpose', 'previous-x-pool'].flatMap(
    (name) => {
      const { graph, batch } = goldenTraining(name);
      return TARGETS.flatMap((target) =>
        [true, false].flatMap((flag) => [
          compileGraph(graph, { target, batch, fuse: flag, gradients: true }).bundle,
          compileGraph(graph, { target, batch, training: { averages: 1, accumulates: flag } }).bundle,
        ]),
      );
    },
  );
  const ofHalfTraining = TARGETS.flatMap((target) => {
    const { graph, batch } = goldenTraining('hybrid');
    const half = { target, batch, precision: 'f16' } as const;
    return [
      compileGraph(graph, { ...half, training: { averages: 1, accumulates: false } }).bundle,
      compileGraph(graph, { ...half, gradients: true, fuse: false }).bundle,
    ];
  });
  // what models of improved-diffusion do not have, or not in these sizes
  const ofGradients = [
    opsOver([2, 8, 6], (b) => b.add('position_add', [b.x, b.param('positions', [8, 6])], {}, 'positions')),
    opsOver([2, 5, 40, 33], (b) => conv(b, b.x, 7, [3, 3])),
    opsOver([1, 4, 3, 4, 5], (b) => conv(b, b.x, 8, [3, 3, 3])),
    opsOver([2, 8, 3], (b) => {
      const rows = b.add('param_concat', [b.param('w0', [4, 4]), b.param('w1', [4, 4])], {}, 'rows');
      const biases = b.add('param_concat', [b.param('b0', [4]), b.param('b1', [4])], {}, 'rows');
      const e = b.add('linear', [b.embed(4), rows, biases], {}, 'linear');
      return b.add('channel_add', [b.x, e], {}, 'add');
    }),
    opsOver([1, 8, 4, 4], (b) => {
      const joined = b.add('concat', [b.x, b.image([4, 4])], {}, 'concat');
      return conv(b, joined, 8, [3, 3]);
    }),
    opsOver([1, 36, 4, 4], (b) => conv(b, norm(b, b.x, 36), 8, [1, 1])),
    // more samples than Winograd's planes are there for at once
    opsOver([64, 64, 128, 128], (b) => conv(b, b.x, 64, [3, 3])),
  ].map(gradientsOf);
  return [
    ...ofModels,
    ...ofClassifiers,
    ...ofClassifierTraining,
    ...ofDropout,
    ...ofTraining,
    ...ofHalfTraining,
    ...TARGETS.flatMap((target) => ofGradients.map((ops) => compileOps(ops, { target }))),
    ...TARGETS.flatMap((target) => ofOps.map((ops) => compileOps(ops, { target }))),
    // more samples than slices are there for at once, of a block with all that may be fused into it
    ...[GENERIC, NVIDIA].map((target) => compileOps(slicedBlock(), { target: inSlices(target) })),
  ];
}

function usesOf(all: readonly Bundle[]): ReadonlyMap<string, Uses> {
  const found = new Map<string, Uses>();
  for (const { manifest, kernels: texts } of all) {
    for (const { kernel, sizes } of manifest.dispatches) {
      const { file } = manifest.kernels[kernel]!;
      const name = file.replace(/-\w+\.wgsl$/, '');
      const one = found.get(name) ?? { texts: new Set(), sizes: [] };
      found.set(name, one);
      one.texts.add(texts.get(file)!);
      one.sizes.push(sizes);
    }
  }
  return found;
}

/** The bodies of the hooks of a text, by their heads. */
function hooksOf(wgsl: string): ReadonlyMap<string, string> {
  const hooks = wgsl.matchAll(/^\/\/ hook: .*\n(fn .*\{)\n([\s\S]*?)^\}\n/gm);
  return new Map([...hooks].map(([, head, body]) => [head!, body!]));
}

test('every kernel is used', () => {
  expect([...uses.keys()].sort()).toEqual(kernels.toSorted());
});

describe.each(kernels)('%s', (file) => {
  const { wgsl, sizes } = readKernel(file);
  const { texts, sizes: given } = uses.get(file) ?? { texts: new Set<string>(), sizes: [] };

  test('every hook is filled somewhere', () => {
    const idle = [...hooksOf(wgsl)].filter(([head, body]) =>
      [...texts].every((text) => hooksOf(text).get(head) === body),
    );
    expect(idle.map(([head]) => head)).toEqual(IDLE_HOOKS[file] ?? []);
  });

  test('every hook that is written out is so of float16 somewhere', () => {
    const isHalf = [...texts].some((text) => /unpack|pack_quad|round_quad/.test(text));
    expect(writtenOutHooks(wgsl).length === 0 || isHalf).toBe(true);
  });

  test('every size is read somewhere', () => {
    const unread = sizes.filter(({ name }) =>
      [...texts].every((text) => !new RegExp(`\\bsizes\\.${name}\\b`).test(text)),
    );
    expect(unread.map(({ name }) => name)).toEqual([]);
  });

  test('every size is given somewhere', () => {
    const zero = sizes.filter((_, i) => given.every((values) => values[i] === 0));
    expect(zero.map(({ name }) => name)).toEqual(ZERO_SIZES[file] ?? []);
  });

  test('every constant is used somewhere', () => {
    const names = [...wgsl.matchAll(/^const (\w+) = /gm)].map(([, name]) => name!);
    const used = (name: string, text: string) => text.match(new RegExp(`\\b${name}\\b`, 'g'))!.length > 1;
    // lengths of loops that are written out are in no text
    const written = wgsl.split('\n').filter((line) => line.endsWith('// written out'));
    const counts = (name: string) => written.some((line) => new RegExp(`\\b${name}\\b`).test(line));
    expect(names.filter((name) => !counts(name) && ![...texts].some((text) => used(name, text)))).toEqual([]);
  });
});

test.each(fragments)('fragment %s is taken somewhere', (name) => {
  const text = writeOut(readFragment(name as FragmentFile)).split('// linked:\n')[1]!;
  // a function's head, or a variable, that no kernel has by itself
  const own = text.match(/^(fn|var).*$/gm)!.filter((line) => !filledHooks(text).includes(line));
  const bodies = [...hooksOf(text.replaceAll('// fills:', '// hook:'))];
  const taken = [...uses.values()]
    .flatMap((one) => [...one.texts])
    .some((linked) => {
      const hooks = hooksOf(linked);
      const filled = bodies.every(([head, body]) => lines(hooks.get(head)) === lines(body));
      return filled && own.every((line) => lines(linked).includes(lines(line)));
    });
  expect(taken).toBe(true);
});

/** A text with constants that a fragment's user gives, such as EPSILON, and their values told apart by nothing. */
function lines(text: string | undefined): string {
  return (text ?? '').replaceAll(/\b([A-Z_]{4,}|\d[\d.e-]*u?)\b/g, '#');
}
