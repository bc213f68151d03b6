// Reads the blocks of a checkpoint from the tensors of its layers. Layers without parameters, average pooling and
// plain nearest upsampling, leave no tensor; they are found by the gaps that they leave on the way down and by the
// sizes that have to meet again on the way up.

import type { Layer } from '../graph/graph.ts';
import { layerOutChannels } from '../graph/layers.ts';
import type { BlockTensors, GroupedTensors, LayerTensors } from './tensors.ts';

/** A model as its tensors tell it. Nothing in it is checked: what was read wrongly has other tensors. */
export interface ReadModel {
  readonly dims: 1 | 2 | 3;
  readonly time_embed: { readonly channels: number; readonly hidden: number };
  readonly num_classes: number | null;
  /** Channels that the first layer takes. */
  readonly entry: number;
  readonly out_channels: number;
  readonly blocks: {
    readonly input: readonly (readonly Layer[])[];
    readonly middle: readonly Layer[];
    readonly output: readonly (readonly Layer[])[];
  };
}

/** What the tensors say, or null where they have no time embedding, no input block or no head. */
export function readBlocks({ all, input, middle, output }: GroupedTensors): ReadModel | null {
  const time = all.get('time_embed.0.weight');
  const head = all.get('out.2.weight');
  const first = input.get(0)?.get(0)?.get('weight');
  if (!time || !head || !first || first.length < 3 || first.length > 5) return null;

  const count = Math.max(0, ...input.keys(), ...output.keys()) + 1;
  const indices = Array.from({ length: count }, (_, i) => i);
  let channels = 0;
  const read = (block: BlockTensors | undefined, gap: Gap): readonly Layer[] => {
    const layers = readBlock(block, gap, channels);
    channels = layers.length > 0 ? layerOutChannels(layers.at(-1)!) : channels;
    return layers;
  };
  const down = indices.map((i) => read(input.get(i), 'downsample'));
  const between = read(middle, 'none');
  const up = indices.map((i) => read(output.get(i), 'none'));
  return {
    dims: (first.length - 2) as 1 | 2 | 3,
    time_embed: { channels: time[1] ?? 0, hidden: time[0] ?? 0 },
    num_classes: all.get('label_emb.weight')?.[0] ?? null,
    entry: first[1]!,
    out_channels: head[0] ?? 0,
    blocks: { input: down, middle: between, output: withPlainUpsamples(down, up) },
  };
}

/** What stands where a block has no tensors at some position. */
type Gap = 'downsample' | 'none';

function readBlock(block: BlockTensors | undefined, gap: Gap, arriving: number): readonly Layer[] {
  let channels = arriving;
  return Array.from({ length: Math.max(0, ...(block?.keys() ?? [])) + 1 }, (_, i) => {
    const tensors = block?.get(i);
    const layer = tensors ? readLayer(tensors) : gapLayer(gap, channels);
    if (layer) channels = layerOutChannels(layer);
    return layer;
  }).filter((layer) => layer !== null);
}

function gapLayer(gap: Gap, channels: number): Layer | null {
  return gap === 'downsample' ? { type: 'downsample', channels, method: 'avg_pool' } : null;
}

/** The layer whose tensors these are, by the one that only its type has; null for none. */
function readLayer(tensors: LayerTensors): Layer | null {
  const size = (name: string, axis: number): number => tensors.get(name)?.[axis] ?? 0;
  if (tensors.has('in_layers.2.weight')) {
    const out_channels = size('in_layers.2.weight', 0);
    const skip = tensors.get('skip_connection.weight');
    return {
      type: 'res_block',
      in_channels: size('in_layers.2.weight', 1),
      out_channels,
      conditioning: size('emb_layers.1.weight', 0) === 2 * out_channels ? 'film' : 'additive',
      dropout: 0,
      skip: skip === undefined ? 'identity' : skip.at(-1) === 3 ? 'conv3x3' : 'conv1x1',
    };
  }
  if (tensors.has('qkv.weight')) {
    return { type: 'attention', channels: size('qkv.weight', 1), heads: 1 };
  }
  if (tensors.has('op.weight')) {
    return { type: 'downsample', channels: size('op.weight', 0), method: 'conv' };
  }
  const up = tensors.get('conv.weight');
  if (up) {
    const method = up.at(-1) === 4 ? 'conv_transpose' : 'nearest_conv';
    return { type: 'upsample', channels: up[0] ?? 0, method };
  }
  const conv = tensors.get('weight');
  if (!conv) return null;
  return {
    type: 'conv',
    in_channels: conv[1] ?? 0,
    out_channels: conv[0] ?? 0,
    kernel: conv.at(-1) === 1 ? 1 : 3,
  };
}

/** Output blocks with the upsamplings that have no tensors: a block ends where the next one pops another size. */
function withPlainUpsamples(
  input: readonly (readonly Layer[])[],
  output: readonly (readonly Layer[])[],
): readonly (readonly Layer[])[] {
  let depth = 0;
  const pushed = input.map((layers) => {
    depth += layers.filter(({ type }) => type === 'downsample').length;
    return depth;
  });
  return output.map((layers, i) => {
    depth -= layers.filter(({ type }) => type === 'upsample').length;
    const wanted = pushed[input.length - 2 - i] ?? 0;
    const channels = layers.length > 0 ? layerOutChannels(layers.at(-1)!) : 0;
    const plain: Layer[] = [];
    for (; depth > wanted; depth--) plain.push({ type: 'upsample', channels, method: 'nearest' });
    return [...layers, ...plain];
  });
}
