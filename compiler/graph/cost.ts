// Multiply-accumulates of every layer of a Graph, for one image, counted by the ops that a layer is lowered to.

import { opDef } from '../ops/index.ts';
import type { Macs, OpAttrs, OpName, Shape } from '../ops/op.ts';
import type { Graph, PlacedLayer } from './graph.ts';
import { layerParameters, type Parameter } from './parameters.ts';
import { resampleFactors } from './resample.ts';

export interface GraphCost {
  readonly total: Macs;
  /** By the path of the layer; the MLP of the time embedding is `time_embed`, the head `out`. */
  readonly layers: ReadonlyMap<string, Macs>;
}

/** What one image costs: equal to `countMacs` of the lowered graph, without lowering it. */
export function graphCost(graph: Graph): GraphCost {
  const { channels, hidden } = graph.time_embed;
  const kernel = graph.image_size.map(() => 3);
  const head = [1, graph.head.channels, ...graph.image_size];
  const layers = new Map<string, Macs>([
    ['time_embed', sum([linear(channels, hidden), linear(hidden, hidden)])],
    ...graph.blocks.flatMap((block) =>
      block.layers.map((placed) => [placed.path, layerMacs(graph, placed)] as const),
    ),
    ['out', conv(head, [graph.out_channels, graph.head.channels, ...kernel])],
  ]);
  return { total: sum([...layers.values()]), layers };
}

/** All kinds together. */
export function totalMacs({ conv, linear, attention }: Macs): number {
  return conv + linear + attention;
}

function layerMacs(graph: Graph, placed: PlacedLayer): Macs {
  const { layer, path, in_size, out_size } = placed;
  const weights = layerParameters(placed, graph.time_embed.hidden, graph.dims);
  const shapes = new Map(weights.map(({ name, shape }: Parameter) => [name.slice(path.length + 1), shape]));
  const weight = (of: string): Shape => shapes.get(of === '' ? 'weight' : `${of}.weight`)!;
  switch (layer.type) {
    case 'conv':
      return conv([1, layer.in_channels, ...in_size], weight(''));
    case 'res_block': {
      const x = [1, layer.in_channels, ...in_size];
      const h = [1, layer.out_channels, ...in_size];
      const [to = 0, from = 0] = weight('emb_layers.1');
      return sum([
        conv(x, weight('in_layers.2')),
        conv(h, weight('out_layers.3')),
        linear(from, to),
        ...(layer.skip === 'identity' ? [] : [conv(x, weight('skip_connection'))]),
      ]);
    }
    case 'attention': {
      const positions = in_size.reduce((n, d) => n * d, 1);
      const qkv = [1, 3 * layer.channels, positions];
      const x = [1, layer.channels, positions];
      return sum([
        conv(x, weight('qkv')),
        macsOf('attention', [qkv], { heads: layer.heads, order: 'heads_first' }),
        conv(x, weight('proj_out')),
      ]);
    }
    case 'downsample': {
      if (layer.method === 'avg_pool') return sum([]);
      return conv([1, layer.channels, ...in_size], weight('op'), resampleFactors(graph.dims));
    }
    case 'upsample': {
      if (layer.method === 'nearest') return sum([]);
      if (layer.method === 'nearest_conv') return conv([1, layer.channels, ...out_size], weight('conv'));
      const stride = resampleFactors(graph.dims);
      const padding = stride.map(() => 1);
      const operands = [[1, layer.channels, ...in_size], weight('conv'), [layer.channels]];
      return macsOf('conv_transpose', operands, { stride, padding });
    }
  }
}

/** A convolution with padding (kernel - 1) / 2. */
function conv(x: Shape, weight: Shape, stride: readonly number[] = x.slice(2).map(() => 1)): Macs {
  const padding = weight.slice(2).map((k) => (k - 1) / 2);
  return macsOf('conv', [x, weight, [weight[0]!]], { stride, padding });
}

function linear(from: number, to: number): Macs {
  return macsOf('linear', [[1, from], [to, from], [to]], {});
}

function macsOf<N extends OpName>(op: N, shapes: readonly Shape[], attrs: OpAttrs[N]): Macs {
  return opDef(op).macs(
    shapes.map((shape) => ({ dtype: 'f32', shape })),
    attrs,
  );
}

function sum(parts: readonly Macs[]): Macs {
  const add = (kind: keyof Macs) => parts.reduce((n, macs) => n + macs[kind], 0);
  return { conv: add('conv'), linear: add('linear'), attention: add('attention') };
}
