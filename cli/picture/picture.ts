// What a picture of a graph shows, before it has places: rows of an input block and the output block that reads it,
// the middle, what stands around them, and what hovering tells.

import { last } from '../../compiler/diagnostics.ts';
import { entryChannels } from '../../compiler/families/blocks.ts';
import type { Block, Graph, PlacedLayer } from '../../compiler/graph/graph.ts';
import { type LayerType, layerDef } from '../../compiler/layers/index.ts';
import { layerInChannels, layerOutChannels, levelsDown, printLayer } from '../../compiler/layers/queries.ts';
import { type GraphCost, graphCost, type LayerCost } from './layer-cost.ts';

export type Mark = 'added' | 'removed' | 'changed';

/** A graph to be drawn, alone or as one of two that are compared. */
export interface PictureSide {
  readonly graph: Graph;
  /** Stands above the picture; default: the graph's name. */
  readonly title?: string | undefined;
  /** What changed, by the path of a layer, a block, `time_embed`, `label_emb` or `out`. */
  readonly marks?: ReadonlyMap<string, Mark> | undefined;
  /** Lines that hovering adds, by the same paths. */
  readonly notes?: ReadonlyMap<string, readonly string[]> | undefined;
}

export type ChipKind = LayerType | 'head' | 'time';

/** One layer as a labelled shape. */
export interface Chip {
  readonly path: string;
  readonly kind: ChipKind;
  readonly label: string;
  readonly mark: Mark | null;
  /** What hovering tells, a line each. */
  readonly tip: readonly string[];
}

/** A block: its layers in order, and its share of all multiply-accumulates. */
export interface Box {
  readonly path: string;
  readonly chips: readonly Chip[];
  readonly share: number;
  readonly tip: readonly string[];
}

/** An input block, and the output block that reads what it kept; of a classifier, which has none, the block alone. */
export interface Row {
  /** Downsamplings up to what is kept. */
  readonly depth: number;
  readonly size: string;
  /** Channels of what is kept. */
  readonly channels: number;
  readonly left: Box;
  readonly right: Box | null;
}

export interface Picture {
  readonly title: string;
  readonly subtitle: string;
  /** Whether two graphs are compared, so that what has no mark steps back. */
  readonly compared: boolean;
  readonly rows: readonly Row[];
  readonly middle: Box;
  /** What goes in: with super-resolution low_res, and the image. */
  readonly inputs: readonly string[];
  readonly conditions: readonly Chip[];
  readonly head: Box;
  readonly output: string;
}

/** All that a picture of the graph shows. */
export function describePicture({ graph, title, marks, notes }: PictureSide): Picture {
  const cost = graphCost(graph);
  const say: Say = {
    cost,
    mark: (path) => marks?.get(path) ?? marks?.get(path.replace(/\.\d+$/, '')) ?? null,
    notes: (path) => notes?.get(path) ?? [],
  };
  const inputs = graph.blocks.filter(({ role }) => role === 'input');
  const outputs = graph.blocks.filter(({ role }) => role === 'output');
  const middle = graph.blocks.find(({ role }) => role === 'middle')!;
  let depth = 0;
  const rows = inputs.map((block, i): Row => {
    depth += levelsDown(block.layers.map(({ layer }) => layer));
    const end = last(block.layers);
    const reader = outputs[outputs.length - 1 - i];
    return {
      depth,
      size: sizeText(end.out_size),
      channels: layerOutChannels(end.layer),
      left: boxOf(block, say, reader ? [`kept for ${reader.path}`] : []),
      right: reader ? boxOf(reader, say, [`joins what ${block.path} kept`]) : null,
    };
  });
  const size = sizeText(graph.image_size);
  const low = graph.super_resolution;
  return {
    title: title ?? graph.name,
    subtitle: [
      `${size}, ${entryChannels(graph)} → ${graph.out_channels} ${graph.pool ? 'classes' : 'channels'}`,
      `${amount(cost.params)} parameters`,
      `${amount(cost.macs)} multiply-accumulates an image`,
    ].join('  ·  '),
    compared: marks !== undefined,
    rows,
    middle: boxOf(middle, say, []),
    inputs: [
      ...(low ? [`low_res  ${graph.in_channels} × ${sizeText(low.low_res_size)}`] : []),
      `x  ${graph.in_channels} × ${size}`,
    ],
    conditions: conditionsOf(graph, say),
    head: headOf(graph, say),
    output: graph.pool ? `${graph.out_channels} classes` : `${graph.out_channels} × ${size}`,
  };
}

/** What is told of any part. */
interface Say {
  readonly cost: GraphCost;
  mark(path: string): Mark | null;
  notes(path: string): readonly string[];
}

function boxOf(block: Block, say: Say, more: readonly string[]): Box {
  const costs = block.layers.map(({ path }) => say.cost.of(path));
  const [begin, end] = [block.layers[0]!, last(block.layers)];
  const whole: LayerCost = {
    params: costs.reduce((sum, { params }) => sum + params, 0),
    macs: costs.reduce((sum, { macs }) => sum + macs, 0),
  };
  return {
    path: block.path,
    chips: block.layers.map((placed) => chipOf(placed, say)),
    share: whole.macs / say.cost.macs,
    tip: [
      block.path,
      `${shapeText(layerInChannels(begin.layer), begin.in_size)} → ${shapeText(layerOutChannels(end.layer), end.out_size)}`,
      ...more,
      ...costLines(whole, say),
      ...say.notes(block.path),
    ],
  };
}

function chipOf({ layer, path, in_size, out_size }: PlacedLayer, say: Say): Chip {
  return {
    path,
    kind: layer.type,
    label: layerDef(layer.type).label(layer),
    mark: say.mark(path),
    tip: [
      path,
      printLayer(layer),
      `${shapeText(layerInChannels(layer), in_size)} → ${shapeText(layerOutChannels(layer), out_size)}`,
      ...costLines(say.cost.of(path), say),
      ...say.notes(path),
    ],
  };
}

function conditionsOf(graph: Graph, say: Say): readonly Chip[] {
  const { time_embed, num_classes } = graph;
  const chip = (path: string, label: string, text: string): Chip => ({
    path,
    kind: 'time',
    label,
    mark: say.mark(path),
    tip: [path, text, ...costLines(say.cost.of(path), say), ...say.notes(path)],
  });
  const time = `t → ${time_embed.channels} → ${time_embed.hidden}`;
  return [
    chip('time_embed', time, 'sinusoidal embedding and MLP, read by every res_block'),
    ...(num_classes === null
      ? []
      : [
          chip(
            'label_emb',
            `y → ${num_classes} classes`,
            'embedding of the label, added to the time embedding',
          ),
        ]),
  ];
}

function headOf(graph: Graph, say: Say): Box {
  const { head, pool, out_channels } = graph;
  const own = say.cost.of('out');
  const what = pool ? `${pool.type} pool` : 'norm silu conv';
  const tip = [
    'out',
    `${what} ${head.channels} -> ${out_channels}`,
    ...costLines(own, say),
    ...say.notes('out'),
  ];
  const label = `${what} ${head.channels} → ${out_channels}`;
  const chip: Chip = { path: 'out', kind: 'head', label, mark: say.mark('out'), tip };
  return { path: 'out', chips: [chip], share: own.macs / say.cost.macs, tip };
}

function costLines({ params, macs }: LayerCost, { cost }: Say): readonly string[] {
  if (params + macs === 0) return ['no parameters'];
  return [
    `${params.toLocaleString('en-US')} parameters, ${percent(params / cost.params)}`,
    ...(macs > 0 ? [`${amount(macs)} multiply-accumulates, ${percent(macs / cost.macs)}`] : []),
  ];
}

/** A share from 0 to 1 in as many digits as tell it apart. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return '< 0.1%';
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;
}

/** 52.5 M, 1.23 G: three digits. */
function amount(n: number): string {
  const [scale, unit] =
    n >= 1e12 ? [1e12, ' T'] : n >= 1e9 ? [1e9, ' G'] : n >= 1e6 ? [1e6, ' M'] : [1e3, ' k'];
  return n < 1000 ? String(n) : `${(n / scale).toPrecision(3)}${unit}`;
}

function sizeText(size: readonly number[]): string {
  return size.join(' × ');
}

function shapeText(channels: number, size: readonly number[]): string {
  return `[${[channels, ...size].join(', ')}]`;
}
