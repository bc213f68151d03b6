// Pairs that say the same: a diff finds nothing.

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffSides } from '../../../compiler/diff/diff.ts';
import { toExplicit } from '../../../compiler/graph/explicit.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { unet2dGraphUpTo } from '../../arbitrary-unet-2d-graph.ts';
import { BASE, type GraphPatch } from '../../fixtures/diff-pairs.ts';
import { patched, sideOf } from '../../fixtures/diff-sides.ts';

const PUBLISHED = readdirSync(new URL('../../../graphs/', import.meta.url)).flatMap((file) =>
  file === 'schema.json' ? [] : (/^(.*)\.json$/.exec(file)?.slice(1) ?? []),
);
const published = (name: string) =>
  readFileSync(new URL(`../../../graphs/${name}.json`, import.meta.url), 'utf8');

const findings = (a: object | string, b: object | string) => diffSides(sideOf(a), sideOf(b)).findings;

/** Keys in the opposite order, at every level. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([k, v]) => [k, reversed(v)]),
  );
}

const SAME: readonly (readonly [name: string, from: GraphPatch, to: GraphPatch])[] = [
  ['dropout 0', {}, { unet: { dropout: 0 } }],
  ['conv_resample true', {}, { unet: { conv_resample: true } }],
  ['two dimensions', {}, { unet: { dims: 2 } }],
  ['no classes', {}, { unet: { num_classes: null } }],
  ['use_checkpoint false', {}, { unet: { use_checkpoint: false } }],
  ['use_checkpoint true', {}, { unet: { use_checkpoint: true } }],
  ['num_heads_upsample -1', {}, { unet: { num_heads_upsample: -1 } }],
  ['num_heads_upsample as num_heads', {}, { unet: { num_heads_upsample: 2 } }],
  ['additive conditioning', {}, { unet: { use_scale_shift_norm: false } }],
  ['nearest', {}, { unet: { upsample: 'nearest' } }],
  ['one head', { unet: { num_heads: 1 } }, { unet: { num_heads: undefined } }],
  ['an attention that is never reached', {}, { unet: { attention_resolutions: [2, 8] } }],
  [
    'attentions in another order',
    { unet: { attention_resolutions: [1, 2] } },
    { unet: { attention_resolutions: [2, 1] } },
  ],
  ['an attention twice', {}, { unet: { attention_resolutions: [2, 2] } }],
  ['a size for each dimension', {}, { image_size: [16, 16] }],
  ['a schema for editors', {}, { $schema: './schema.json' }],
  ['an empty diffusion', {}, { diffusion: {} }],
  [
    'the defaults of diffusion',
    {},
    {
      diffusion: {
        steps: 1000,
        noise_schedule: 'linear',
        predict: 'epsilon',
        variance: 'fixed_large',
        rescale_timesteps: false,
      },
    },
  ],
  [
    'a learned variance said',
    { unet: { out_channels: 6 } },
    { unet: { out_channels: 6 }, diffusion: { variance: 'learned_range' } },
  ],
  ['the default name', { name: 'unet' }, { name: undefined }],
  [
    'the default multipliers',
    { unet: { channel_mult: [1, 2, 4, 8] } },
    { unet: { channel_mult: undefined } },
  ],
  [
    'resampling in a model of one level',
    { unet: { channel_mult: [1] } },
    { unet: { channel_mult: [1], conv_resample: false, upsample: 'conv_transpose' } },
  ],
  [
    'a low_res size for each dimension',
    { super_resolution: { low_res_size: 4 } },
    { super_resolution: { low_res_size: [4, 4] } },
  ],
  ['empty budgets', {}, { budgets: {} }],
];

describe('no finding', () => {
  test.each(SAME)('%s', (_, from, to) => {
    expect(findings(patched(from), patched(to))).toEqual([]);
    expect(findings(patched(to), patched(from))).toEqual([]);
  });

  test.each(PUBLISHED)('%s: keys in the opposite order, and the explicit form', (name) => {
    const text = published(name);
    expect(findings(text, JSON.stringify(reversed(JSON.parse(text))))).toEqual([]);
    const explicit = toExplicit(sideOf(text).graph);
    expect(findings(text, explicit)).toEqual([]);
    expect(findings(reversed(explicit) as object, text)).toEqual([]);
  });

  test('no spaces, and tabs', () => {
    expect(findings(JSON.stringify(BASE), JSON.stringify(BASE, null, '\t'))).toEqual([]);
  });

  test('arbitrary graphs of both forms with themselves', () => {
    const check = (file: object) => {
      const side = sideOf(file);
      const { findings: none, map } = diffSides(side, sideOf(toExplicit(side.graph)));
      expect(none).toEqual([]);
      expect([map!.renames.size, map!.zeros, map!.dropped]).toEqual([0, [], []]);
    };
    fc.assert(fc.property(arbitraryCompactGraph, check), { numRuns: 60, seed: 1 });
    fc.assert(fc.property(arbitraryExplicitGraph, check), { numRuns: 60, seed: 1 });
    fc.assert(fc.property(unet2dGraphUpTo(16), check), { numRuns: 60, seed: 1 });
  });
});
