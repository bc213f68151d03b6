// Arbitrary valid graphs of the explicit form: blocks that no keyword argument of the original can describe.

import fc from 'fast-check';
import type { CompactGraph } from './arbitrary-graph.ts';

/** Widths that a GroupNorm of 32 groups takes. */
const WIDTHS = [32, 32, 64, 96];

type Layer = Readonly<Record<string, unknown>> & { readonly type: string };
type Pick = <T>(choices: readonly T[]) => T;

interface Block {
  readonly layers: readonly Layer[];
}

/**
 * Valid explicit graphs: convolutions, residual blocks of both conditionings with every kind of skip, attention and
 * resampling in any order, skip concats that end inside a quad of channels, time embeddings of odd widths.
 */
export const arbitraryExplicitGraph: fc.Arbitrary<CompactGraph> = fc
  .array(fc.nat(9999), { minLength: 40, maxLength: 40 })
  .map((tape) => {
    let at = 0;
    const pick: Pick = (choices) => choices[tape[at++ % tape.length]! % choices.length]!;
    return explicitGraph(pick);
  });

function explicitGraph(pick: Pick): CompactGraph {
  const dims = pick([1, 2, 2, 3]);
  const levels = pick([1, 2, 2, 3]);
  const period = 2 ** (levels - 1);
  const image_size = Array.from({ length: dims }, (_, axis) =>
    dims === 3 && axis === 0 ? pick([1, 2, 3]) : period * pick(levels === 3 ? [1, 2] : [2, 3, 4]),
  );
  const in_channels = pick([1, 2, 3, 4]);
  const superResolution = pick([false, false, true]);
  const skips: { readonly width: number; readonly level: number }[] = [];
  const input: Block[] = [];
  const output: Block[] = [];

  let width = superResolution ? 2 * in_channels : in_channels;
  let layers: Layer[] = [conv(width, pick([...WIDTHS, 30, 34, 62]), 3)];
  width = widthOf(layers, width);
  const push = (level: number) => {
    input.push({ layers });
    skips.push({ width, level });
  };
  push(0);
  for (let level = 0; level < levels; level++) {
    for (let i = pick([0, 1, 1, 2]); i > 0; i--) {
      layers = body(pick, width);
      width = widthOf(layers, width);
      push(level);
    }
    if (level === levels - 1) break;
    layers = [{ type: 'downsample', channels: width, method: pick(['conv', 'avg_pool']) }];
    push(level + 1);
  }
  const middle = { layers: body(pick, width) };
  width = widthOf(middle.layers, width);
  let level = levels - 1;
  while (skips.length > 0) {
    const skip = skips.pop()!;
    layers =
      skips.length === 0
        ? [conv(width + skip.width, pick(WIDTHS), pick([1, 3]))]
        : body(pick, width + skip.width);
    width = widthOf(layers, width + skip.width);
    if (skips.length > 0 && skips.at(-1)!.level < level) {
      level--;
      layers = [
        ...layers,
        { type: 'upsample', channels: width, method: pick(['nearest_conv', 'nearest', 'conv_transpose']) },
      ];
    }
    output.push({ layers });
  }
  const low = Array.from({ length: dims }, () => pick([1, 2, 3, 5, 7]));
  return {
    version: 1,
    name: 'arbitrary',
    dims,
    image_size,
    in_channels,
    out_channels: pick([in_channels, 2 * in_channels]),
    num_classes: pick([null, null, 1, 7]),
    time_embed: { channels: pick([32, 7, 1, 64]), hidden: pick([64, 33, 5, 130]) },
    ...(superResolution ? { super_resolution: { low_res_size: low } } : {}),
    blocks: { input, middle, output },
  };
}

/** One to three layers over a value of a width. */
function body(pick: Pick, width: number): Layer[] {
  const layers: Layer[] = [];
  let channels = width;
  for (let i = pick([1, 1, 2, 3]); i > 0; i--) {
    const layer = channels % 32 === 0 ? normed(pick, channels) : conv(channels, pick(WIDTHS), pick([1, 3]));
    layers.push(layer);
    channels = widthOf([layer], channels);
  }
  return layers;
}

function normed(pick: Pick, channels: number): Layer {
  const type = pick(['res_block', 'res_block', 'attention', 'conv']);
  if (type === 'attention') return { type, channels, heads: pick([1, 2, 4, 8]) };
  if (type === 'conv') return conv(channels, pick([...WIDTHS, 30, 34]), pick([1, 3]));
  const out_channels = pick([channels > 96 ? 64 : channels, ...WIDTHS]);
  const skips = ['conv1x1', 'conv3x3', ...(out_channels === channels ? ['identity', 'identity'] : [])];
  return {
    type,
    in_channels: channels,
    out_channels,
    conditioning: pick(['film', 'additive']),
    skip: pick(skips),
  };
}

function conv(in_channels: number, out_channels: number, kernel: 1 | 3 | number): Layer {
  return { type: 'conv', in_channels, out_channels, kernel };
}

/** Channels that leave the layers. */
function widthOf(layers: readonly Layer[], width: number): number {
  return layers.reduce(
    (w, layer) => (typeof layer.out_channels === 'number' ? layer.out_channels : w),
    width,
  );
}
