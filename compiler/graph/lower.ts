// Graph to OpGraph: every layer spelled out as tensor ops, in the order of the original's forward pass.
// Source of the arithmetic: improved-diffusion, unet.py and nn.py (UNetModel, SuperResModel).

import { createOpGraphBuilder, type OpGraphBuilder } from '../opgraph/build.ts';
import type { OpGraph, OpGraphOutput } from '../opgraph/opgraph.ts';
import type { DType } from '../ops/op.ts';
import { sizeOf } from '../ops/op.ts';
import type {
  AttentionLayer,
  ConvLayer,
  DownsampleLayer,
  Graph,
  PlacedLayer,
  ResBlockLayer,
  UpsampleLayer,
} from './graph.ts';
import { NORM_EPS, NORM_GROUPS } from './graph.ts';
import { resampleFactors } from './resample.ts';

export interface LowerOptions {
  /** Images in a forward pass. */
  readonly batch: number;
  /** Adds the feature vectors `down.i`, `middle`, `up.i` to the results. */
  readonly taps: boolean;
  /** `f16` is the original's convert_to_fp16: the torso's convolutions and activations in float16. */
  readonly precision: 'f32' | 'f16';
}

/** What the layers share while a graph is lowered. */
interface Scope {
  readonly b: OpGraphBuilder;
  readonly graph: Graph;
  /** Element type of the torso's activations. */
  readonly torso: DType;
}

/** Lowers a graph for a batch size. The result has no fusion and no layout; values are [batch, channels, ...space]. */
export function lowerGraph(graph: Graph, options: LowerOptions): OpGraph {
  const b = createOpGraphBuilder();
  const { batch } = options;
  const input = (name: 'x' | 'timesteps' | 'y' | 'low_res', shape: readonly number[], dtype: DType = 'f32') =>
    b.add('input', [], { name, type: { dtype, shape } }, name);

  const x = input('x', [batch, graph.in_channels, ...graph.image_size]);
  const timesteps = input('timesteps', [batch]);
  const embedding = timeEmbedding(b, graph, timesteps, () => input('y', [batch], 'u32'));
  const scope: Scope = { b, graph, torso: options.precision };

  let h = x;
  if (graph.super_resolution) {
    const low = input('low_res', [batch, graph.in_channels, ...graph.super_resolution.low_res_size]);
    const up = b.add('upsample_linear', [low], { size: graph.image_size }, 'low_res');
    h = b.add('concat', [x, up], {}, 'low_res');
  }
  h = castTo(scope, h, options.precision, 'input_blocks');

  const skips: number[] = [];
  const outputs: OpGraphOutput[] = [];
  for (const block of graph.blocks) {
    if (block.role === 'output') h = b.add('concat', [h, skips.pop()!], {}, block.path);
    for (const placed of block.layers) h = lowerLayer(scope, placed, h, embedding);
    if (block.role === 'input') skips.push(h);
    if (options.taps) outputs.push({ name: tapName(block.role, block.index), value: h });
  }

  h = castTo(scope, h, 'f32', 'out');
  h = b.add('silu', [norm(scope, h, graph.head.channels, 'out.0')], {}, 'out.1');
  const kernel = graph.image_size.map(() => 3);
  h = convolution(scope, h, graph.head.channels, graph.out_channels, kernel, 'out.2', 'f32');
  return b.finish([{ name: 'output', value: h }, ...outputs]);
}

/** Name of a block's feature vector, as the original's get_feature_vectors groups them. */
function tapName(role: 'input' | 'middle' | 'output', index: number): string {
  if (role === 'middle') return 'middle';
  return `${role === 'input' ? 'down' : 'up'}.${index}`;
}

function timeEmbedding(b: OpGraphBuilder, graph: Graph, timesteps: number, labels: () => number): number {
  const { channels, hidden } = graph.time_embed;
  let e = b.add('timestep_embedding', [timesteps], { dim: channels, max_period: 10000 }, 'time_embed');
  e = linear(b, e, channels, hidden, 'time_embed.0');
  e = b.add('silu', [e], {}, 'time_embed.1');
  e = linear(b, e, hidden, hidden, 'time_embed.2');
  if (graph.num_classes === null) return e;
  const table = b.add(
    'param',
    [],
    { name: 'label_emb.weight', shape: [graph.num_classes, hidden] },
    'label_emb',
  );
  return b.add('add', [e, b.add('embedding', [table, labels()], {}, 'label_emb')], {}, 'label_emb');
}

/** One layer of a TimeEmbedSeq block: it is given the time embedding [B, hidden] exactly when its type takes it. */
function lowerLayer(scope: Scope, placed: PlacedLayer, x: number, embedding: number): number {
  const { layer, path } = placed;
  switch (layer.type) {
    case 'conv':
      return conv(scope, layer, path, x);
    case 'res_block':
      return resBlock(scope, layer, path, x, embedding);
    case 'attention':
      return attention(scope, layer, path, x);
    case 'downsample':
      return downsample(scope, layer, path, x);
    case 'upsample':
      return upsample(scope, layer, path, x);
  }
}

function conv(scope: Scope, layer: ConvLayer, path: string, x: number): number {
  const kernel = scope.graph.image_size.map(() => layer.kernel);
  return convolution(scope, x, layer.in_channels, layer.out_channels, kernel, path, scope.torso);
}

function resBlock(scope: Scope, layer: ResBlockLayer, path: string, x: number, embedding: number): number {
  const { b, graph } = scope;
  const { in_channels, out_channels } = layer;
  const kernel = graph.image_size.map(() => 3);
  // before the other branch, so that its convolution is ready to be summed into the last one
  const skip = skipConnection(scope, layer, path, x);
  let h = b.add('silu', [norm(scope, x, in_channels, `${path}.in_layers.0`)], {}, `${path}.in_layers.1`);
  h = convolution(scope, h, in_channels, out_channels, kernel, `${path}.in_layers.2`, scope.torso);

  const film = layer.conditioning === 'film';
  const activated = b.add('silu', [embedding], {}, `${path}.emb_layers.0`);
  const width = film ? 2 * out_channels : out_channels;
  const projected = linear(b, activated, graph.time_embed.hidden, width, `${path}.emb_layers.1`);
  if (film) {
    h = norm(scope, h, out_channels, `${path}.out_layers.0`);
    h = b.add('film', [h, projected], {}, `${path}.out_layers.0`);
  } else {
    h = b.add('channel_add', [h, projected], {}, `${path}.emb_layers.1`);
    h = norm(scope, h, out_channels, `${path}.out_layers.0`);
  }
  h = b.add('silu', [h], {}, `${path}.out_layers.1`);
  h = b.add('dropout', [h], { p: layer.dropout }, `${path}.out_layers.2`);
  h = convolution(scope, h, out_channels, out_channels, kernel, `${path}.out_layers.3`, scope.torso);
  return b.add('add', [skip, h], {}, path);
}

function skipConnection(scope: Scope, layer: ResBlockLayer, path: string, x: number): number {
  if (layer.skip === 'identity') return x;
  const size = layer.skip === 'conv1x1' ? 1 : 3;
  const kernel = scope.graph.image_size.map(() => size);
  const { in_channels, out_channels } = layer;
  return convolution(scope, x, in_channels, out_channels, kernel, `${path}.skip_connection`, scope.torso);
}

function attention(scope: Scope, layer: AttentionLayer, path: string, x: number): number {
  const { b } = scope;
  const { channels } = layer;
  const shape = b.typeOf(x).shape;
  const flat = b.add('reshape', [x], { shape: [shape[0]!, channels, sizeOf(shape.slice(2))] }, path);
  let h = norm(scope, flat, channels, `${path}.norm`);
  h = convolution(scope, h, channels, 3 * channels, [1], `${path}.qkv`, scope.torso);
  h = b.add('attention', [h], { heads: layer.heads, order: 'heads_first' }, `${path}.attention`);
  h = convolution(scope, h, channels, channels, [1], `${path}.proj_out`, scope.torso);
  h = b.add('add', [flat, h], {}, path);
  return b.add('reshape', [h], { shape }, path);
}

function downsample(scope: Scope, layer: DownsampleLayer, path: string, x: number): number {
  const { b, graph } = scope;
  const factor = resampleFactors(graph.dims);
  if (layer.method === 'avg_pool') return b.add('avg_pool', [x], { kernel: factor }, path);
  const kernel = factor.map(() => 3);
  return convolution(scope, x, layer.channels, layer.channels, kernel, `${path}.op`, scope.torso, factor);
}

function upsample(scope: Scope, layer: UpsampleLayer, path: string, x: number): number {
  const { b, graph } = scope;
  const { channels } = layer;
  const factor = resampleFactors(graph.dims);
  if (layer.method === 'conv_transpose') {
    const kernel = factor.map((f) => (f === 2 ? 4 : 3));
    const weight = b.add(
      'param',
      [],
      { name: `${path}.conv.weight`, shape: [channels, channels, ...kernel] },
      `${path}.conv`,
    );
    const bias = b.add('param', [], { name: `${path}.conv.bias`, shape: [channels] }, `${path}.conv`);
    const padding = factor.map(() => 1);
    return b.add('conv_transpose', [x, weight, bias], { stride: factor, padding }, `${path}.conv`);
  }
  const up = b.add('upsample_nearest', [x], { factor }, path);
  if (layer.method === 'nearest') return up;
  return convolution(
    scope,
    up,
    channels,
    channels,
    factor.map(() => 3),
    `${path}.conv`,
    scope.torso,
  );
}

/** Convolution with padding (kernel - 1) / 2; `dtype` is that of its weights and its result. */
function convolution(
  scope: Scope,
  x: number,
  inChannels: number,
  outChannels: number,
  kernel: readonly number[],
  path: string,
  dtype: DType,
  stride: readonly number[] = kernel.map(() => 1),
): number {
  const { b } = scope;
  const weight = b.add(
    'param',
    [],
    { name: `${path}.weight`, shape: [outChannels, inChannels, ...kernel] },
    path,
  );
  const bias = b.add('param', [], { name: `${path}.bias`, shape: [outChannels] }, path);
  const operands = [x, castTo(scope, weight, dtype, path), castTo(scope, bias, dtype, path)];
  return b.add('conv', operands, { stride, padding: kernel.map((k) => (k - 1) / 2) }, path);
}

function norm(scope: Scope, x: number, channels: number, path: string): number {
  const { b } = scope;
  const weight = b.add('param', [], { name: `${path}.weight`, shape: [channels] }, path);
  const bias = b.add('param', [], { name: `${path}.bias`, shape: [channels] }, path);
  return b.add('group_norm', [x, weight, bias], { groups: NORM_GROUPS, eps: NORM_EPS }, path);
}

function linear(b: OpGraphBuilder, x: number, inFeatures: number, outFeatures: number, path: string): number {
  const weight = b.add('param', [], { name: `${path}.weight`, shape: [outFeatures, inFeatures] }, path);
  const bias = b.add('param', [], { name: `${path}.bias`, shape: [outFeatures] }, path);
  return b.add('linear', [x, weight, bias], {}, path);
}

function castTo(scope: Scope, value: number, dtype: DType, path: string): number {
  return scope.b.typeOf(value).dtype === dtype ? value : scope.b.add('cast', [value], { dtype }, path);
}
