// The explicit form: its blocks as a draft, and any Graph written back in it, every default spelled out.

import { invariant } from '../diagnostics.ts';
import { FORMAT_VERSION } from '../spec/common.ts';
import { type ExplicitFile, type ExplicitLayer, explicitFile } from '../spec/explicit.ts';
import { printInline } from '../spec/json.ts';
import type { Spec } from '../spec/spec.ts';
import type { Draft } from './draft.ts';
import type { Block, Graph, Layer } from './graph.ts';

type ExplicitFormSpec = Extract<Spec, { form: 'explicit' }>;

/** The canonical explicit form of a graph: what `expand` prints and what a bundle carries. */
export type ExplicitSpec = Omit<ExplicitFile, '$schema'>;

/** Blocks as they were written, with the skip paths resolved. */
export function draftExplicit(spec: ExplicitFormSpec): Draft {
  const { input, middle, output } = spec.blocks;
  return {
    blocks: [
      ...input.map(({ layers }, index) => ({ role: 'input' as const, index, layers: layers.map(resolve) })),
      { role: 'middle', index: 0, layers: middle.layers.map(resolve) },
      ...output.map(({ layers }, index) => ({ role: 'output' as const, index, layers: layers.map(resolve) })),
    ],
    time_embed: spec.time_embed,
    pointer: ({ block, layer }, field) => {
      const at = block.role === 'middle' ? '/blocks/middle' : `/blocks/${block.role}/${block.index}`;
      return `${at}/layers/${layer}/${field}`;
    },
  };
}

function resolve(layer: ExplicitLayer): Layer {
  if (layer.type !== 'res_block') return layer;
  const skip = layer.skip ?? (layer.in_channels === layer.out_channels ? 'identity' : 'conv1x1');
  return { ...layer, skip };
}

/**
 * The graph as an explicit-form file: keys in a fixed order, defaults and diffusion resolved, sizes as lists.
 * Building it again gives an equal Graph.
 */
export function toExplicit(graph: Graph): ExplicitSpec {
  const blocks = (role: Block['role']) =>
    graph.blocks
      .filter((b) => b.role === role)
      .map((b) => ({ layers: b.layers.map((l) => written(l.layer)) }));
  const [middle] = blocks('middle');
  invariant(middle, 'a graph has a middle block');
  const { steps, noise_schedule, predict, variance, rescale_timesteps } = graph.diffusion;
  const spec: ExplicitSpec = {
    version: FORMAT_VERSION,
    name: graph.name,
    dims: graph.dims,
    image_size: [...graph.image_size],
    in_channels: graph.in_channels,
    out_channels: graph.out_channels,
    num_classes: graph.num_classes,
    time_embed: { channels: graph.time_embed.channels, hidden: graph.time_embed.hidden },
    ...(graph.super_resolution && {
      super_resolution: { low_res_size: [...graph.super_resolution.low_res_size] },
    }),
    diffusion: { steps, noise_schedule, predict, variance, rescale_timesteps },
    ...(graph.budgets && { budgets: { ...graph.budgets } }),
    blocks: { input: blocks('input'), middle, output: blocks('output') },
  };
  invariant(
    explicitFile.safeParse(spec).success,
    `the explicit form of ${graph.name} does not pass its own schema`,
  );
  return spec;
}

/** A layer with its keys in the format's order. */
function written(layer: Layer): ExplicitLayer {
  switch (layer.type) {
    case 'conv': {
      const { type, in_channels, out_channels, kernel } = layer;
      return { type, in_channels, out_channels, kernel };
    }
    case 'res_block': {
      const { type, in_channels, out_channels, conditioning, dropout, skip } = layer;
      return { type, in_channels, out_channels, conditioning, dropout, skip };
    }
    case 'attention': {
      const { type, channels, heads } = layer;
      return { type, channels, heads };
    }
    case 'downsample': {
      const { type, channels, method } = layer;
      return { type, channels, method };
    }
    case 'upsample': {
      const { type, channels, method } = layer;
      return { type, channels, method };
    }
  }
}

/** The explicit form as JSON text: one layer a line, so that two graphs compare line by line. */
export function printExplicit(spec: ExplicitSpec): string {
  const { blocks, ...rest } = spec;
  const keys = Object.entries(rest).map(([key, value]) => `  ${JSON.stringify(key)}: ${printInline(value)},`);
  const layers = (list: readonly ExplicitLayer[], indent: string) =>
    list.map((layer) => `${indent}  ${printInline(layer)}`).join(',\n');
  const block = (b: { layers: readonly ExplicitLayer[] }) =>
    b.layers.length === 1
      ? `{ "layers": [${printInline(b.layers[0])}] }`
      : `{ "layers": [\n${layers(b.layers, '      ')}\n      ] }`;
  const many = (list: ExplicitSpec['blocks']['input']) =>
    `[\n${list.map((b) => `      ${block(b)}`).join(',\n')}\n    ]`;
  return [
    '{',
    ...keys,
    '  "blocks": {',
    `    "input": ${many(blocks.input)},`,
    `    "middle": { "layers": [\n${layers(blocks.middle.layers, '    ')}\n    ] },`,
    `    "output": ${many(blocks.output)}`,
    '  }',
    '}',
    '',
  ].join('\n');
}
