// Where two runs part: the norms, and the block that is named.

import { describe, expect, it } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { compareRuns, distance } from '../../../engine/drift/compare.ts';
import type { Tensor } from '../../../runtime/tensor.ts';

/** A small model with attention at its second level. */
const SMALL_GRAPH = JSON.stringify({
  version: 1,
  name: 'little',
  image_size: 4,
  unet: {
    in_channels: 1,
    model_channels: 32,
    out_channels: 1,
    num_res_blocks: 1,
    attention_resolutions: [2],
    channel_mult: [1, 1],
    num_heads: 2,
    num_classes: 3,
  },
});

describe('compareRuns', () => {
  const { graph } = loadGraph(SMALL_GRAPH, 'little');
  const results = (change: Readonly<Record<string, readonly number[]>> = {}): ReadonlyMap<string, Tensor> => {
    const taps = ['down.0', 'down.1', 'down.2', 'down.3', 'middle', 'up.0', 'up.1', 'up.2', 'up.3', 'output'];
    return new Map(
      taps.map((tap) => {
        const data = Float32Array.from(change[tap] ?? [3, 4]);
        return [tap, { shape: [1, data.length], data }];
      }),
    );
  };
  const compare = (change: Readonly<Record<string, readonly number[]>>, tolerance: number) =>
    compareRuns({ graph, results: results() }, { graph, results: results(change) }, tolerance);

  it('passes over differences within the tolerance', () => {
    const { blocks, first } = compare({ 'down.1': [3, 4.0005], middle: [3, 5] }, 1e-3);
    expect(blocks[1]!.relative_l2).toBeCloseTo(1e-4, 6);
    expect(first).toMatchObject({ path: 'middle_block', relative_l2: 0.2, largest: 1, layers: [] });
  });

  it('counts values that are not finite as a difference', () => {
    expect(compare({ 'up.2': [Number.NaN, 4] }, 1).first).toMatchObject({
      path: 'output_blocks.2',
      relative_l2: null,
      largest: null,
    });
  });

  it('names what it could not compare', () => {
    const { blocks, unmatched } = compare({ 'up.1': [1, 2, 3] }, 1);
    expect(unmatched).toEqual(['output_blocks.1']);
    expect(blocks).toHaveLength(9);
  });

  it('measures against the norm of A', () => {
    expect(distance([3, 4], [3, 4])).toEqual({ relative_l2: 0, largest: 0 });
    expect(distance([3, 4], [0, 0])).toEqual({ relative_l2: 1, largest: 4 });
    expect(distance([0], [0])).toEqual({ relative_l2: 0, largest: 0 });
    expect(distance([0], [1])).toEqual({ relative_l2: null, largest: 1 });
  });
});
