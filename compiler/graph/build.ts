// Builds the Graph of a Spec of either form and holds it to the rules of the family, finding all faults at once.

import { type Diagnostic, last } from '../diagnostics.ts';
import { blockPath, entryChannels, layerPath } from '../families/blocks.ts';
import type { Draft } from '../families/draft.ts';
import { familyOf } from '../families/index.ts';
import { namingOf } from '../families/namings.ts';
import { layerOutChannels, layerOutSize } from '../layers/queries.ts';
import type { Spec } from '../spec/spec.ts';
import { draftExplicit } from './explicit.ts';
import type { Block, Budgets, Graph } from './graph.ts';
import { checkDiffusion, resolveDiffusion } from './rules-diffusion.ts';
import { checkSizes, resolveSize, type SaidSize } from './rules-sizes.ts';
import { checkChannels, checkHeads, checkNorms, checkTimeEmbed } from './rules-widths.ts';
import { verifyGraph } from './verify.ts';

export interface BuildOptions {
  /** Spatial size instead of the file's image_size: one number for all dimensions, or one for each. */
  readonly size?: readonly number[] | undefined;
}

export interface BuiltGraph {
  /** Null exactly where a diagnostic is an error. */
  readonly graph: Graph | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** The Graph of a spec, checked. Never throws on a spec that `readSpec` gave. */
export function buildGraph(spec: Spec, options: BuildOptions = {}): BuiltGraph {
  const draft = spec.form === 'blocks' ? draftExplicit(spec) : familyOf(spec.form).draft(spec);
  const asked = saidSize(spec, options);
  const size = resolveSize(asked, draft.dims);
  const lowRes = spec.super_resolution && resolveSize(saidLowRes(spec.super_resolution), draft.dims);
  const entry = entryChannels({ in_channels: draft.in_channels, super_resolution: spec.super_resolution });

  const diagnostics: Diagnostic[] = [
    ...(isSize(size) ? [] : [size]),
    ...(lowRes && !isSize(lowRes) ? [lowRes] : []),
    ...checkTimeEmbed(draft),
    ...checkNorms(draft),
    ...checkHeads(draft),
    ...checkChannels(draft, entry),
    ...(isSize(size) ? checkSizes(draft, asked, size) : []),
    ...(draft.pool ? [] : checkDiffusion(spec.diffusion, draft, draft.pointer(null, 'out_channels'))),
    ...(spec.form === 'blocks' ? [] : familyOf(spec.form).rules(spec, isSize(size) ? size : null)),
  ];
  if (!isSize(size) || (lowRes && !isSize(lowRes)) || diagnostics.some((d) => d.severity === 'error')) {
    return { graph: null, diagnostics };
  }

  const graph: Graph = {
    name: spec.name,
    dims: draft.dims,
    image_size: size,
    in_channels: draft.in_channels,
    out_channels: draft.out_channels,
    num_classes: draft.num_classes,
    time_embed: { ...draft.time_embed },
    super_resolution: lowRes ? { low_res_size: lowRes } : null,
    diffusion: resolveDiffusion(spec.diffusion, draft),
    budgets: spec.budgets ? saidBudgets(spec.budgets) : null,
    blocks: placeBlocks(draft, size),
    pool: draft.pool ?? null,
    center_input: draft.center_input ?? false,
    use_checkpoint: draft.use_checkpoint ?? false,
    head: { channels: layerOutChannels(last(last(draft.blocks).layers)), norm: draft.head.norm },
    naming: draft.naming,
  };
  verifyGraph(graph);
  return { graph, diagnostics };
}

/** Budgets in the format's order, without those that are not said. */
function saidBudgets(budgets: NonNullable<Spec['budgets']>): Budgets {
  const order = ['params', 'macs', 'activation_bytes', 'weight_bytes', 'dispatches'] as const;
  return Object.fromEntries(
    order.flatMap((key) => (budgets[key] === undefined ? [] : [[key, budgets[key]]])),
  );
}

function saidSize(spec: Spec, { size }: BuildOptions): SaidSize {
  if (!size) return { value: spec.image_size, pointer: '/image_size', label: 'image_size' };
  const value = size.length === 1 ? size[0]! : size;
  return { value, pointer: '/image_size', label: 'the requested size' };
}

function saidLowRes({ low_res_size }: NonNullable<Spec['super_resolution']>): SaidSize {
  return { value: low_res_size, pointer: '/super_resolution/low_res_size', label: 'low_res_size' };
}

function isSize(size: readonly number[] | Diagnostic): size is readonly number[] {
  return Array.isArray(size);
}

/** The draft's blocks with paths and names, and the sizes that follow from the image's. */
function placeBlocks(draft: Draft, image: readonly number[]): readonly Block[] {
  let size = image;
  const prefixes = namingOf(draft.naming).prefixes(draft.blocks);
  return draft.blocks.map((block, at) => ({
    role: block.role,
    index: block.index,
    path: blockPath(block),
    layers: block.layers.map((value, layer) => {
      const in_size = size;
      size = layerOutSize(value, size);
      const prefix = prefixes[at]![layer]!;
      return { layer: value, path: layerPath({ block, layer }), prefix, in_size, out_size: size };
    }),
  }));
}
