// Reads the blocks of a checkpoint from the tensors of its layers. Layers without parameters, average pooling and
// plain nearest upsampling, leave no tensor; they are found by the gaps that they leave on the way down and by the
// sizes that have to meet again on the way up.

import type { Layer } from '../../layers/index.ts';
import { layerLevels, layerOutChannels, levelsDown, soundLayer } from '../../layers/queries.ts';
import { readLayer } from '../naming.ts';
import { improvedDiffusionNaming } from './naming.ts';
import type { BlockTensors, GroupedTensors } from './tensors.ts';

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

/** The blocks on the way down and on the way up. */
interface Ways {
  readonly input: readonly (readonly Layer[])[];
  readonly output: readonly (readonly Layer[])[];
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
    blocks: { ...withPlainUpsamples(withResampling({ input: down, output: up })), middle: between },
  };
}

/** What stands where a block has no tensors at some position. */
type Gap = 'downsample' | 'none';

function readBlock(block: BlockTensors | undefined, gap: Gap, arriving: number): readonly Layer[] {
  let channels = arriving;
  return Array.from({ length: Math.max(0, ...(block?.keys() ?? [])) + 1 }, (_, i) => {
    const tensors = block?.get(i);
    const layer = tensors ? readLayer(improvedDiffusionNaming, tensors) : gapLayer(gap, channels);
    if (layer) channels = layerOutChannels(layer);
    return layer;
  }).filter((layer) => layer !== null);
}

function gapLayer(gap: Gap, channels: number): Layer | null {
  return gap === 'downsample' ? soundLayer({ type: 'downsample', channels, method: 'avg_pool' }) : null;
}

/**
 * The residual blocks of guided-diffusion that halve and double, which have the tensors of any other: they stand where
 * other models have a layer for it. One that doubles ends an output block that begins with another residual block; the
 * input block whose output that block pops is nothing but the one that halved.
 */
function withResampling({ input, output }: Ways): Ways {
  const resized = [...input, ...output]
    .flat()
    .some(({ type }) => type === 'downsample' || type === 'upsample');
  const ends = output.flatMap((layers, i) =>
    layers.length > 1 && layers[0]!.type === 'res_block' && canResample(layers.at(-1)!) ? [i] : [],
  );
  const starts = ends.map((i) => input.length - 1 - i);
  const pairs = starts.every((i) => input[i]?.length === 1 && canResample(input[i]![0]!));
  if (resized || !pairs) return { input, output };
  return {
    input: input.map((layers, i) => (starts.includes(i) ? layers.map((l) => resampling(l, 'down')) : layers)),
    output: output.map((layers, i) =>
      ends.includes(i) ? [...layers.slice(0, -1), resampling(layers.at(-1)!, 'up')] : layers,
    ),
  };
}

function canResample(layer: Layer): boolean {
  return layer.type === 'res_block' && layer.skip === 'identity';
}

function resampling(layer: Layer, resample: 'down' | 'up'): Layer {
  return layer.type === 'res_block' ? { ...layer, resample } : layer;
}

/** Output blocks with the upsamplings that have no tensors: a block ends where the next one pops another size. */
function withPlainUpsamples({ input, output }: Ways): Ways {
  let depth = 0;
  const pushed = input.map((layers) => {
    depth += levelsDown(layers);
    return depth;
  });
  const resized = output.map((layers, i) => {
    depth -= layers.filter((layer) => layerLevels(layer) < 0).length;
    const wanted = pushed[input.length - 2 - i] ?? 0;
    const channels = layers.length > 0 ? layerOutChannels(layers.at(-1)!) : 0;
    const plain = soundLayer({ type: 'upsample', channels, method: 'nearest' });
    const missing = Math.max(0, depth - wanted);
    depth -= missing;
    return plain ? [...layers, ...Array.from({ length: missing }, () => plain)] : layers;
  });
  return { input, output: resized };
}
