// Blocks level by level down, the middle, and back up: the constructor of UNetModel in improved-diffusion and in
// guided-diffusion (unet.py) and of UNet2DModel in diffusers (unet_2d.py), which differ in the layers that they put there.

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
  /** Whether residual blocks of a level, 0 being that of the whole image, have attention behind them. */
  attends(level: number, way: 'down' | 'up'): boolean;
  resBlock(in_channels: number, out_channels: number): WrittenLayer;
  attention(channels: number, way: 'down' | 'up'): WrittenLayer;
  middle(channels: number): readonly WrittenLayer[];
  /** What leads from a level down to the next, and from it up to the one above. */
  down(channels: number, level: number): WrittenLayer;
  up(channels: number, level: number): WrittenLayer;
}

/** The blocks of a model in the order of computation. */
export function levelBlocks(levels: Levels): readonly DraftBlock[] {
  const { widths, num_res_blocks } = levels;
  const input: WrittenLayer[][] = [];
  const output: WrittenLayer[][] = [];
  /** Widths of the pushed outputs that are not yet popped. */
  const skips: number[] = [];
  let channels = levels.first;

  const push = (layers: WrittenLayer[]): void => {
    input.push(layers);
    skips.push(channels);
  };
  const body = (in_channels: number, level: number, way: 'down' | 'up'): WrittenLayer[] => {
    const width = widths[level]!;
    channels = width;
    const attends = levels.attends(level, way);
    return [levels.resBlock(in_channels, width), ...(attends ? [levels.attention(width, way)] : [])];
  };

  push([{ type: 'conv', in_channels: levels.entry, out_channels: channels, kernel: 3 }]);
  for (const level of widths.keys()) {
    for (let i = 0; i < num_res_blocks; i++) push(body(channels, level, 'down'));
    if (level < widths.length - 1) push([levels.down(channels, level)]);
  }

  const middle = [...levels.middle(channels)];

  for (const level of [...widths.keys()].reverse()) {
    for (let i = 0; i <= num_res_blocks; i++) {
      const skip = last(skips);
      skips.pop();
      const layers = body(channels + skip, level, 'up');
      if (level > 0 && i === num_res_blocks) layers.push(levels.up(channels, level));
      output.push(layers);
    }
  }
  return [...blocksOf('input', input), ...blocksOf('middle', [middle]), ...blocksOf('output', output)];
}

/** The middle block of both openai families. */
export function attendedMiddle(
  levels: Pick<Levels, 'resBlock' | 'attention'>,
  channels: number,
): readonly WrittenLayer[] {
  const block = () => levels.resBlock(channels, channels);
  return [block(), levels.attention(channels, 'down'), block()];
}

function blocksOf(role: DraftBlock['role'], blocks: readonly WrittenLayer[][]): readonly DraftBlock[] {
  return blocks.map((layers, index) => ({ role, index, layers: layers.map(newLayer) }));
}
