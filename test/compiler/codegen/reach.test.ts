// What a target cannot reach is a fault of the graph with its place, never a broken invariant.

import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { GraphError } from '../../../compiler/diagnostics.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { GENERIC, SOFTWARE } from '../../../compiler/target.ts';

interface Asked {
  readonly image_size?: number;
  readonly batch?: number;
  readonly unet?: object;
}

/** What compiling says of a small graph that differs in `asked`. */
function faultsOf({ image_size = 8, batch = 1, unet = {} }: Asked, target = GENERIC): readonly string[] {
  const small = { in_channels: 3, model_channels: 32, out_channels: 3, num_res_blocks: 1 };
  const spec = {
    version: 1,
    name: 'wide',
    image_size,
    unet: { ...small, attention_resolutions: [], channel_mult: [1], ...unet },
  };
  const loaded = loadGraph(JSON.stringify(spec, null, 2), 'wide.json');
  try {
    compileGraph(loaded.graph, { batch, target, place: { label: 'wide.json', locate: loaded.locate } });
    return [];
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return error.message.split('\n');
  }
}

test.each([GENERIC, SOFTWARE])('an image with too many pixels for a grid, for $name', (target) => {
  const found = faultsOf({ image_size: 2048 }, target);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(
    /^error\[G022\] wide\.json:\/image_size: input_blocks\.0\.0 and \d+ others?: found a grid of 131072 x 1 x 1 workgroups, the target \w+ has at most 65535 in each direction; use a smaller image_size \(line 4, column 17\)$/,
  );
});

test('a batch of more images than a grid has layers', () => {
  expect(faultsOf({ batch: 65535 })).toEqual([]);
  expect(faultsOf({ batch: 65536 })).toEqual([
    expect.stringMatching(/^error\[G022\] wide\.json: .* x 65536 workgroups, .*; use a smaller batch$/),
  ]);
});

test('every axis that is too long, and sizes of more than 32 bits, at once', () => {
  const unet = { dims: 3, model_channels: 8192, channel_mult: [32] };
  const found = faultsOf({ image_size: 65536, batch: 65536, unet });
  expect(found.map((line) => line.replace(/^.*; /, ''))).toEqual([
    'use a smaller image_size (line 4, column 17)',
    'use a smaller batch',
    'use a smaller image_size or fewer channels',
  ]);
  expect(found[2]).toContain('found a size (pixels = 281474976710656) that is beyond the 32 bits');
});

describe('the largest that the format allows is never a bug of ours', () => {
  const dims = [1, 2, 3];
  const targets = [GENERIC, SOFTWARE];
  test.each(dims.flatMap((n) => targets.map((target) => ({ n, target }))))('$n, $target.name', (one) => {
    const attention = { attention_resolutions: [1, 2], channel_mult: [32, 32], num_heads: 1 };
    const unet = { dims: one.n, model_channels: 8192, num_classes: 2 ** 24, ...attention };
    expect(faultsOf({ image_size: 65536, batch: 65536, unet }, one.target)).not.toEqual([]);
  });
});
