// Blocks level by level down, the middle, and back up: the constructor of UNetModel in improved-diffusion and in
// guided-diffusion (unet.py), which differ in the layers that they put there.

import { last } from '../diagnostics.ts';
import type { WrittenLayer } from '../layers/index.ts';
import { newLayer } from '../layers/queries.ts';
import type { DraftBlock } from './blocks.ts';

/** What the levels of a model are made of. */
export interface Levels {
  /** Channels that the first convolution takes. */
  readonly entry: number;
  /** Channels that it gives. */
  readonly first: number;
  /** Channels of each level; between levels the size halves. */
  readonly widths: readonly number[];
  readonly num_res_blocks: number;
  /** Downsampling factors that have attention. */
  readonly attention_resolutions: readonly number[];
  resBlock(in_channels: number, out_channels: number): WrittenLayer;
  attention(channels: number, way: 'down' | 'up'): WrittenLayer;
  down(channels: number): WrittenLayer;
  up(channels: number): WrittenLayer;
}

/** The blocks of a model in the order of computation. */
export function levelBlocks(levels: Levels): readonly DraftBlock[] {
  const { widths, num_res_blocks } = levels;
  const input: WrittenLayer[][] = [];
  const output: WrittenLayer[][] = [];
  /** Widths of the pushed outputs that are not yet popped. */
  const skips: number[] = [];
  let channels = levels.first;
  let ds = 1;

  const push = (layers: WrittenLayer[]): void => {
    input.push(layers);
    skips.push(channels);
  };
  const body = (in_channels: number, width: number, way: 'down' | 'up'): WrittenLayer[] => {
    channels = width;
    const attends = levels.attention_resolutions.includes(ds);
    return [levels.resBlock(in_channels, width), ...(attends ? [levels.attention(width, way)] : [])];
  };

  push([{ type: 'conv', in_channels: levels.entry, out_channels: channels, kernel: 3 }]);
  for (const [level, width] of widths.entries()) {
    for (let i = 0; i < num_res_blocks; i++) push(body(channels, width, 'down'));
    if (level < widths.length - 1) {
      push([levels.down(channels)]);
      ds *= 2;
    }
  }

  const middle = [
    levels.resBlock(channels, channels),
    levels.attention(channels, 'down'),
    levels.resBlock(channels, channels),
  ];

  for (const [level, width] of [...widths.entries()].reverse()) {
    for (let i = 0; i <= num_res_blocks; i++) {
      const skip = last(skips);
      skips.pop();
      const layers = body(channels + skip, width, 'up');
      if (level > 0 && i === num_res_blocks) {
        layers.push(levels.up(channels));
        ds /= 2;
      }
      output.push(layers);
    }
  }
  return [...blocksOf('input', input), ...blocksOf('middle', [middle]), ...blocksOf('output', output)];
}

function blocksOf(role: DraftBlock['role'], blocks: readonly WrittenLayer[][]): readonly DraftBlock[] {
  return blocks.map((layers, index) => ({ role, index, layers: layers.map(newLayer) }));
}
