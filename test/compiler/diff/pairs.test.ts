// What a diff finds, pair by pair: every keyword changed alone, layers of the explicit form, all pairs of the published
// graphs. Schedules are left out here (schedule.test.ts).

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { diffSides } from '../../../compiler/diff/diff.ts';
import { unet } from '../../../compiler/families/improved-diffusion/keywords.ts';
import { toExplicit } from '../../../compiler/graph/explicit.ts';
import {
  ADM_PAIRS,
  BASE,
  COMPACT_PAIRS,
  EXPLICIT_PAIRS,
  type ExplicitDraft,
  UNET_2D,
  UNET_2D_PAIRS,
} from '../../fixtures/diff-pairs.ts';
import { findingLines, patched, sideOf } from '../../fixtures/diff-sides.ts';

const PUBLISHED = [
  'cifar10',
  'imagenet64',
  'imagenet64-cond',
  'lsun256',
  'upsample256',
  'mnist',
  'mnist-sr',
  'ddpm-cifar10-32',
  'ddpm-celebahq-256',
];
const GOLDEN = new URL('../../golden/diff/published.txt', import.meta.url);

describe('keywords', () => {
  test.each(COMPACT_PAIRS)('$name', ({ from, to, expected }) => {
    const { findings } = diffSides(sideOf(patched(from)), sideOf(patched(to)));
    expect(findingLines(findings)).toEqual(expected);
    expect(new Set(findings.map((f) => f.fingerprint)).size).toBe(findings.length);
  });

  test('none is left out', () => {
    const changed = new Set(COMPACT_PAIRS.flatMap(({ to }) => Object.keys(to.unet ?? {})));
    expect(Object.keys(unet.shape).filter((key) => !changed.has(key))).toEqual([]);
  });

  test('a finding names the key that decided it', () => {
    const pointers = (from: object, to: object) =>
      new Set(diffSides(sideOf(from), sideOf(to)).findings.map(({ pointer }) => pointer));
    expect(pointers(patched({}), patched({ unet: { num_heads: 4 } }))).toEqual(new Set(['/unet/num_heads']));
    expect(pointers(patched({}), patched({ unet: { num_heads_upsample: 4 } }))).toEqual(
      new Set(['/unet/num_heads_upsample']),
    );
    expect(pointers(patched({}), patched({ unet: { num_res_blocks: 2 } }))).toEqual(
      new Set(['/unet/num_res_blocks']),
    );
  });
});

describe('keywords of guided-diffusion', () => {
  const { unet, ...rest } = BASE;
  const from = { ...rest, adm: unet };

  test.each(ADM_PAIRS)('$name', ({ to, expected }) => {
    const { findings } = diffSides(sideOf(from), sideOf({ ...rest, adm: { ...unet, ...to } }));
    expect(findingLines(findings)).toEqual(expected);
  });

  test('a finding names the key that decided it', () => {
    const pointers = (to: object) =>
      diffSides(sideOf(from), sideOf({ ...rest, adm: { ...unet, ...to } })).findings.map((f) => f.pointer);
    expect(new Set(pointers({ use_new_attention_order: true }))).toEqual(
      new Set(['/adm/use_new_attention_order']),
    );
    expect(new Set(pointers({ num_head_channels: 16 }))).toEqual(new Set(['/adm/num_head_channels']));
    expect(pointers({ resblock_updown: true })).toContain('/adm/resblock_updown');
  });
});

describe('fields of diffusers', () => {
  const { unet: _, ...rest } = BASE;
  const of = (to: object) => sideOf({ ...rest, unet_2d: { ...UNET_2D, ...to } });
  const pointers = (to: object) =>
    new Set(
      diffSides(of({}), of(to)).findings.flatMap(({ rule, pointer }) =>
        ['interface/taps', 'numerics/sampling'].includes(rule) ? [] : [pointer],
      ),
    );

  test.each(UNET_2D_PAIRS)('$to', ({ to, expected }) => {
    expect(findingLines(diffSides(of({}), of(to)).findings)).toEqual(expected);
    expect(pointers(to)).toEqual(new Set(expected.map(() => `/unet_2d/${Object.keys(to)[0]}`)));
  });

  test('another epsilon is of every norm', () => {
    const { findings } = diffSides(of({}), of({ norm_eps: 1e-6 }));
    expect(findings.every(({ rule }) => rule === 'weights/reinterpreted-option')).toBe(true);
    expect(findings.map(({ place }) => place)).toContain('head');
    expect(pointers({ norm_eps: 1e-6 })).toEqual(new Set(['/unet_2d/norm_eps']));
  });

  test.each([
    { layers_per_block: 2 },
    { block_out_channels: [32, 96] },
    { resnet_time_scale_shift: 'scale_shift' },
    { num_class_embeds: 10 },
    { out_channels: 6 },
    { add_attention: false },
    { mid_block_type: null },
    { downsample_padding: 0 },
  ])('a finding names the field that decided it: %j', (to) => {
    const [key] = Object.keys(to);
    expect(pointers(to)).toEqual(new Set([`/unet_2d/${key}`]));
  });
});

describe('layers of the explicit form', () => {
  test.each(EXPLICIT_PAIRS)('$name', ({ change, expected }) => {
    const from = toExplicit(sideOf(BASE).graph);
    const to = structuredClone(from) as unknown as ExplicitDraft;
    change(to);
    expect(findingLines(diffSides(sideOf(from), sideOf(to)).findings)).toEqual(expected);
  });

  test('a finding points to the layer', () => {
    const from = toExplicit(sideOf(BASE).graph);
    const to = structuredClone(from) as unknown as ExplicitDraft;
    to.blocks.middle.layers[1]!.heads = 4;
    const [found] = diffSides(sideOf(from), sideOf(to)).findings;
    expect(found).toMatchObject({ pointer: '/blocks/middle/layers/1/heads', place: 'middle.attn[0]' });
  });
});

test('the published graphs, each with each', () => {
  const sides = PUBLISHED.map((name) =>
    sideOf(readFileSync(new URL(`../../../graphs/${name}.json`, import.meta.url), 'utf8')),
  );
  const pairs = sides.flatMap((a, i) => sides.slice(i + 1).map((b) => [a, b] as const));
  expect(pairs).toHaveLength(36);
  const text = pairs
    .map(([a, b]) => [`${a.label} -> ${b.label}`, ...findingLines(diffSides(a, b).findings), ''].join('\n'))
    .join('\n');
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(GOLDEN, text);
  expect(text, 'run again with UPDATE_GOLDEN=1').toBe(readFileSync(GOLDEN, 'utf8'));
});
