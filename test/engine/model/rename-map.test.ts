// Whatever two graphs are, every tensor of both is accounted for: by the rename map, or by a finding that names it.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diffSides } from '../../../compiler/diff/diff.ts';
import type { RuleId } from '../../../compiler/diff/rules.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph, type CompactGraph } from '../../arbitrary-graph.ts';
import { sideOf } from '../../fixtures/diff-sides.ts';

const KEYS = [
  ...['model_channels', 'channel_mult', 'num_res_blocks', 'attention_resolutions', 'num_classes'],
  ...['conv_resample', 'upsample', 'num_heads', 'num_heads_upsample', 'use_scale_shift_norm'],
];

/** Two graphs that differ in one keyword at the most. */
const neighbours = fc
  .tuple(arbitraryCompactGraph, arbitraryCompactGraph, fc.constantFrom(...KEYS))
  .map(([a, b, key]): readonly [CompactGraph, CompactGraph] => {
    const [unet, other] = [a, b].map((file) => file.unet as Readonly<Record<string, unknown>>);
    const image_size = (a.image_size as readonly number[]).map(() => 16);
    return [
      { ...a, image_size },
      { ...a, image_size, unet: { ...unet, [key]: other![key] } },
    ];
  });

const any = fc.oneof(arbitraryCompactGraph, arbitraryExplicitGraph);

test('every tensor of two arbitrary graphs is accounted for', () => {
  fc.assert(
    fc.property(fc.oneof(fc.tuple(any, any), neighbours), ([from, to]) => {
      const [a, b] = [sideOf(from), sideOf(to)];
      const { findings, map } = diffSides(a, b);
      const { renames, zeros, dropped } = map!;
      const named = (rule: RuleId, name: string) =>
        findings.some((found) => found.rule === rule && found.details.some((d) => d.startsWith(`${name} [`)));
      const [old, fresh] = [a, b].map(
        ({ parameters }) => new Map(parameters.map(({ name, shape }) => [name, shape.join()])),
      ) as [Map<string, string>, Map<string, string>];
      const original = new Map([...renames].map(([name, now]) => [now, name]));
      expect(original.size).toBe(renames.size);

      for (const [name, shape] of fresh) {
        const stays = old.has(name) && !renames.has(name) && !dropped.includes(name);
        const source = original.get(name) ?? (stays ? name : undefined);
        if (zeros.includes(name))
          expect([source, named('weights/added-inert', name)]).toEqual([undefined, true]);
        else if (source === undefined) expect(named('weights/added', name)).toBe(true);
        else if (old.get(source) !== shape) expect(named('weights/reshaped', source)).toBe(true);
      }
      for (const name of old.keys()) {
        const goes = renames.get(name) ?? name;
        expect(dropped.includes(name) ? named('weights/removed', name) : fresh.has(goes), name).toBe(true);
      }
    }),
    { numRuns: 150, seed: 5 },
  );
});

test('what loads without a word and computes something else is said to', () => {
  fc.assert(
    fc.property(neighbours, ([from, to]) => {
      const [a, b] = [sideOf(from), sideOf(to)];
      const text = ({ parameters }: typeof a) => JSON.stringify(parameters);
      const layers = ({ graph }: typeof a) => JSON.stringify(graph.blocks);
      if (text(a) !== text(b) || layers(a) === layers(b)) return;
      const rules = diffSides(a, b).findings.map(({ rule }) => rule);
      expect(rules.some((rule) => rule.startsWith('weights/reinterpreted-'))).toBe(true);
    }),
    { numRuns: 150, seed: 5 },
  );
});
