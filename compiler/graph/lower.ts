// Graph to OpGraph: inputs, blocks, skips and results, in the order of the original's forward pass. What a layer comes to
// says its file in layers/. Source: improved-diffusion, unet.py (UNetModel, SuperResModel).

import { poolsAllBlocks } from '../layers/pool.ts';
import { castTo, type SharedScope } from '../layers/scope.ts';
import { createOpGraphBuilder, type OpGraphBuilder } from '../opgraph/build.ts';
import type { OpGraph, OpGraphOutput } from '../opgraph/opgraph.ts';
import type { DType } from '../ops/op.ts';
import { PRECISIONS, type Precision } from '../precision.ts';
import type { Graph } from './graph.ts';
import { headModule, labelEmbModule, layerModule, timeEmbedModule } from './modules.ts';

export interface LowerOptions {
  /** Images in a forward pass. */
  readonly batch: number;
  /** Adds the feature vectors `down.i`, `middle`, `up.i` to the results. */
  readonly taps: boolean;
  /** `f16` is the original's convert_to_fp16: the torso's convolutions and activations in float16. */
  readonly precision: Precision;
}

/** Lowers a graph for a batch size. The result has no fusion and no layout; values are [batch, channels, ...space]. */
export function lowerGraph(graph: Graph, options: LowerOptions): OpGraph {
  const b = createOpGraphBuilder();
  const { batch } = options;
  const input = (name: string, shape: readonly number[], dtype: DType = 'f32') =>
    b.add('input', [], { name, type: { dtype, shape } }, name);

  const x = input('x', [batch, graph.in_channels, ...graph.image_size]);
  const timesteps = input('timesteps', [batch]);
  const rowInput = (name: string, dtype: DType) => input(name, [batch], dtype);
  const start: SharedScope = { b, torso: PRECISIONS[options.precision], embedding: null, rowInput };
  const shared: SharedScope = { ...start, embedding: timeEmbedding(graph, start, timesteps) };

  let h = graph.center_input ? b.add('rescale', [x], { factor: 2, offset: -1 }, 'x') : x;
  if (graph.super_resolution) {
    const low = input('low_res', [batch, graph.in_channels, ...graph.super_resolution.low_res_size]);
    const up = b.add('upsample_linear', [low], { size: graph.image_size }, 'low_res');
    h = b.add('concat', [h, up], {}, 'low_res');
  }
  h = castTo(b, h, PRECISIONS[options.precision].activations, 'input_blocks');

  const skips: number[] = [];
  const blocks: number[] = [];
  const outputs: OpGraphOutput[] = [];
  for (const block of graph.blocks) {
    if (block.role === 'output') h = b.add('concat', [h, skips.pop()!], {}, block.path);
    for (const placed of block.layers) h = layerModule(graph, placed).lower(shared, h);
    if (block.role === 'input') skips.push(h);
    blocks.push(h);
    if (options.taps) outputs.push({ name: tapName(block.role, block.index), value: h });
  }

  if (graph.pool && poolsAllBlocks(graph.pool)) h = meansOf(b, blocks);
  h = headModule(graph).lower(shared, h);
  return b.finish([{ name: 'output', value: h }, ...outputs]);
}

/** The means over space of values in float32, one behind the other along channels. */
function meansOf(b: OpGraphBuilder, values: readonly number[]): number {
  const means = values.map((value) => {
    const [, , ...space] = b.typeOf(value).shape;
    return b.add('avg_pool', [castTo(b, value, 'f32', 'out')], { kernel: space }, 'out');
  });
  return means.reduce((joined, mean) => b.add('concat', [joined, mean], {}, 'out'));
}

/** Name of a block's feature vector, as the original's get_feature_vectors groups them. */
function tapName(role: 'input' | 'middle' | 'output', index: number): string {
  if (role === 'middle') return 'middle';
  return `${role === 'input' ? 'down' : 'up'}.${index}`;
}

/** The time embedding [B, hidden], that of the labels added. */
function timeEmbedding(graph: Graph, shared: SharedScope, timesteps: number): number {
  const embedding = timeEmbedModule(graph).lower(shared, timesteps);
  return labelEmbModule(graph)?.lower(shared, embedding) ?? embedding;
}
