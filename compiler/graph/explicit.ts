// The explicit form: its blocks as a draft, and any Graph written back in it.

import { invariant } from '../diagnostics.ts';
import type { Draft } from '../families/draft.ts';
import { DEFAULT_NAMING } from '../families/namings.ts';
import { FORMAT_VERSION } from '../format/common.ts';
import { printInline } from '../format/json.ts';
import { isUsual } from '../layers/norm.ts';
import { writtenLayer } from '../layers/queries.ts';
import { writtenTimeEmbed } from '../layers/time_embed.ts';
import { explicitFile, type WrittenExplicit } from '../spec/explicit.ts';
import type { ExplicitSpec } from '../spec/spec.ts';
import { type Block, type Diffusion, type Graph, LATER_DIFFUSION, usualLoss } from './graph.ts';

/** The canonical explicit form of a graph: what `expand` prints and what a bundle carries. */
export type ExplicitGraph = Omit<WrittenExplicit, '$schema'>;
type WrittenLayer = WrittenExplicit['blocks']['middle']['layers'][number];

/** Blocks as they were written. */
export function draftExplicit(spec: ExplicitSpec): Draft {
  const { dims, in_channels, out_channels, num_classes, time_embed, head, pool, naming } = spec;
  const { center_input, use_checkpoint } = spec;
  const { input, middle, output } = spec.blocks;
  return {
    ...{ dims, in_channels, out_channels, num_classes, time_embed, head, naming },
    ...{ center_input, use_checkpoint },
    ...(pool && { pool }),
    blocks: [
      ...input.map(({ layers }, index) => ({ role: 'input' as const, index, layers })),
      { role: 'middle', index: 0, layers: middle.layers },
      ...output.map(({ layers }, index) => ({ role: 'output' as const, index, layers })),
    ],
    pointer: (place, field) => {
      if (place === null) return `/${field}`;
      const { block, layer } = place;
      const at = block.role === 'middle' ? '/blocks/middle' : `/blocks/${block.role}/${block.index}`;
      return `${at}/layers/${layer}/${field}`;
    },
  };
}

/**
 * The graph as an explicit-form file: keys in a fixed order, diffusion resolved, sizes as lists. Defaults are written out,
 * but for keys that came after version 1 was first published: those stand only where they say something else.
 * Building it again gives an equal Graph.
 */
export function toExplicit(graph: Graph): ExplicitGraph {
  const blocks = (role: Block['role']) =>
    graph.blocks
      .filter((b) => b.role === role)
      .map((b) => ({ layers: b.layers.map((l) => writtenLayer(l.layer)) }));
  const [middle] = blocks('middle');
  invariant(middle, 'a graph has a middle block');
  const spec: ExplicitGraph = {
    version: FORMAT_VERSION,
    name: graph.name,
    dims: graph.dims,
    image_size: [...graph.image_size],
    in_channels: graph.in_channels,
    out_channels: graph.out_channels,
    num_classes: graph.num_classes,
    time_embed: writtenTimeEmbed(graph.time_embed),
    ...(graph.super_resolution && {
      super_resolution: { low_res_size: [...graph.super_resolution.low_res_size] },
    }),
    diffusion: writtenDiffusion(graph.diffusion),
    ...(graph.budgets && { budgets: { ...graph.budgets } }),
    ...(isUsual(graph.head.norm) ? {} : { head: { norm: { ...graph.head.norm } } }),
    ...(graph.pool && { pool: { ...graph.pool } }),
    ...(graph.center_input && { center_input: true }),
    ...(graph.use_checkpoint && { use_checkpoint: true }),
    ...(graph.naming === DEFAULT_NAMING ? {} : { naming: graph.naming }),
    blocks: { input: blocks('input'), middle, output: blocks('output') },
  };
  invariant(
    explicitFile.safeParse(spec).success,
    `the explicit form of ${graph.name} does not pass its own schema`,
  );
  return spec;
}

/** What of a graph decides the bytes of its training, as text: what is computed again changes no bit. */
export function trainedAs(graph: Graph): string {
  return JSON.stringify(toExplicit({ ...graph, use_checkpoint: false }));
}

/** The explicit form as JSON text: one layer a line, so that two graphs compare line by line. */
export function printExplicit(spec: ExplicitGraph): string {
  const { blocks, ...rest } = spec;
  const keys = Object.entries(rest).map(([key, value]) => `  ${JSON.stringify(key)}: ${printInline(value)},`);
  const layers = (list: readonly WrittenLayer[], indent: string) =>
    list.map((layer) => `${indent}  ${printInline(layer)}`).join(',\n');
  const block = (b: { layers: readonly WrittenLayer[] }) =>
    b.layers.length === 1
      ? `{ "layers": [${printInline(b.layers[0])}] }`
      : `{ "layers": [\n${layers(b.layers, '      ')}\n      ] }`;
  const many = (list: ExplicitGraph['blocks']['input']) =>
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

function writtenDiffusion(diffusion: Diffusion): NonNullable<WrittenExplicit['diffusion']> {
  const { steps, noise_schedule, predict, variance, rescale_timesteps } = diffusion;
  const later = Object.entries(LATER_DIFFUSION).filter(
    ([key, usual]) => diffusion[key as keyof typeof LATER_DIFFUSION] !== usual,
  );
  return {
    ...{ steps, noise_schedule, predict, variance, rescale_timesteps },
    ...Object.fromEntries(later.map(([key]) => [key, diffusion[key as keyof Diffusion]])),
    ...(diffusion.loss === usualLoss(variance) ? {} : { loss: diffusion.loss }),
  };
}
