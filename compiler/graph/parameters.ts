// Every parameter of a graph, with the names, shapes and order of the original's checkpoints.

import type { Graph, Layer, PlacedLayer } from './graph.ts';
import { resampleFactors } from './resample.ts';

/** Name and shape of one parameter. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * All parameters in checkpoint order (module registration order of the original UNetModel).
 * Convolutions are [out, in, ...kernel], transposed ones [in, out, ...kernel], linear layers [out, in].
 */
export function parameters(graph: Graph): readonly Parameter[] {
  const { channels, hidden } = graph.time_embed;
  const { dims } = graph;
  return [
    ...affine('time_embed.0', [hidden, channels]),
    ...affine('time_embed.2', [hidden, hidden]),
    ...(graph.num_classes === null ? [] : [{ name: 'label_emb.weight', shape: [graph.num_classes, hidden] }]),
    ...graph.blocks.flatMap((block) =>
      block.layers.flatMap((placed) => layerParameters(placed, hidden, dims)),
    ),
    ...norm('out.0', graph.head.channels),
    ...conv('out.2', graph.out_channels, graph.head.channels, 3, dims),
  ];
}

/** Number of scalars in all parameters. */
export function parameterCount(graph: Graph): number {
  return parameters(graph).reduce((sum, p) => sum + p.shape.reduce((n, d) => n * d, 1), 0);
}

/** The parameters of one layer. `hidden` is the width of the time embedding that residual blocks read. */
export function layerParameters(
  { layer, path }: PlacedLayer,
  hidden: number,
  dims: Graph['dims'],
): readonly Parameter[] {
  switch (layer.type) {
    case 'conv':
      return conv(path, layer.out_channels, layer.in_channels, layer.kernel, dims);
    case 'res_block':
      return resBlockParameters(layer, path, hidden, dims);
    case 'attention':
      return [
        ...norm(`${path}.norm`, layer.channels),
        ...affine(`${path}.qkv`, [3 * layer.channels, layer.channels, 1]),
        ...affine(`${path}.proj_out`, [layer.channels, layer.channels, 1]),
      ];
    case 'downsample':
      return layer.method === 'conv' ? conv(`${path}.op`, layer.channels, layer.channels, 3, dims) : [];
    case 'upsample':
      return upsampleParameters(layer, path, dims);
  }
}

function resBlockParameters(
  layer: Extract<Layer, { type: 'res_block' }>,
  path: string,
  hidden: number,
  dims: Graph['dims'],
): readonly Parameter[] {
  const { in_channels, out_channels, conditioning, skip } = layer;
  return [
    ...norm(`${path}.in_layers.0`, in_channels),
    ...conv(`${path}.in_layers.2`, out_channels, in_channels, 3, dims),
    ...affine(`${path}.emb_layers.1`, [(conditioning === 'film' ? 2 : 1) * out_channels, hidden]),
    ...norm(`${path}.out_layers.0`, out_channels),
    ...conv(`${path}.out_layers.3`, out_channels, out_channels, 3, dims),
    ...(skip === 'identity'
      ? []
      : conv(`${path}.skip_connection`, out_channels, in_channels, skip === 'conv1x1' ? 1 : 3, dims)),
  ];
}

function upsampleParameters(
  layer: Extract<Layer, { type: 'upsample' }>,
  path: string,
  dims: Graph['dims'],
): readonly Parameter[] {
  const { channels, method } = layer;
  switch (method) {
    case 'nearest':
      return [];
    case 'nearest_conv':
      return conv(`${path}.conv`, channels, channels, 3, dims);
    case 'conv_transpose': {
      const kernel = resampleFactors(dims).map((factor) => (factor === 2 ? 4 : 3));
      return affine(`${path}.conv`, [channels, channels, ...kernel]);
    }
  }
}

/** A weight, and a bias as long as the weight's first axis. */
function affine(path: string, shape: readonly number[]): readonly Parameter[] {
  return [
    { name: `${path}.weight`, shape },
    { name: `${path}.bias`, shape: [shape[0]!] },
  ];
}

function norm(path: string, channels: number): readonly Parameter[] {
  return affine(path, [channels]);
}

function conv(
  path: string,
  out: number,
  input: number,
  kernel: number,
  dims: Graph['dims'],
): readonly Parameter[] {
  return affine(path, [out, input, ...Array.from({ length: dims }, () => kernel)]);
}
