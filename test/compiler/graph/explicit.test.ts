import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printExplicit, toExplicit } from '../../../compiler/graph/explicit.ts';
import type { Graph } from '../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { printGraph } from '../../../compiler/graph/print.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { DIFFUSERS_NAMES, GOLDEN, GOLDEN_NAMES, goldenGraph } from '../../golden-cases.ts';

const expand = (graph: Graph) => printExplicit(toExplicit(graph));

/** Compares with a golden text, or writes it. */
function expectGolden(file: string, text: string): void {
  const url = new URL(file, GOLDEN);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(url, text);
  expect(text).toBe(readFileSync(url, 'utf8'));
}

describe('toExplicit', () => {
  test.each([...GOLDEN_NAMES, ...DIFFUSERS_NAMES])(
    'of %s builds an equal graph, and expands to itself',
    (name) => {
      const { graph } = loadGraph(goldenGraph(name), name);
      const text = expand(graph);
      const again = loadGraph(text, name);
      expect(again.graph).toEqual(graph);
      expect(again.warnings).toEqual([]);
      expect(expand(again.graph)).toBe(text);
    },
  );

  test('of a classifier with more classes than an image can have channels expands to itself', () => {
    const file = { ...JSON.parse(readFileSync('graphs/adm64-classifier.json', 'utf8')) };
    const keywords = { ...file.adm_classifier, out_channels: 21841 };
    const { graph } = loadGraph(JSON.stringify({ ...file, adm_classifier: keywords }), 'a.json');
    expect(loadGraph(expand(graph), 'a.json').graph).toEqual(graph);
  });

  test('of any valid graph builds an equal graph, and expands to itself', () => {
    fc.assert(
      fc.property(arbitraryCompactGraph, (file) => {
        const { graph } = loadGraph(JSON.stringify(file), 'a.json');
        const text = expand(graph);
        const again = loadGraph(text, 'a.json').graph;
        expect(again).toEqual(graph);
        expect(expand(again)).toBe(text);
      }),
    );
  });

  test('says everything that the compact form left to its defaults', () => {
    const { graph } = loadGraph(goldenGraph('tiny-superres'), 'a.json');
    const { blocks: _, ...top } = toExplicit(graph);
    expect(top).toEqual({
      version: 1,
      name: 'tiny-superres',
      dims: 2,
      image_size: [32, 32],
      in_channels: 3,
      out_channels: 6,
      num_classes: 5,
      time_embed: { channels: 32, hidden: 128 },
      super_resolution: { low_res_size: [8, 8] },
      diffusion: {
        steps: 1000,
        noise_schedule: 'linear',
        predict: 'epsilon',
        variance: 'learned_range',
        rescale_timesteps: false,
      },
    });
  });

  test('prints the golden text', () => {
    expectGolden(
      'tiny-heads-up/explicit.json',
      expand(loadGraph(goldenGraph('tiny-heads-up'), 'a.json').graph),
    );
  });
});

describe('printGraph', () => {
  test.each(['tiny-superres', 'tiny-conv-transpose', 'tiny-1d'])('prints the golden text of %s', (name) => {
    expectGolden(`${name}/graph.txt`, printGraph(loadGraph(goldenGraph(name), name).graph));
  });
});
