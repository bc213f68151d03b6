// Prints a Graph: a head line, then one stable line for each layer under its block.

import { last } from '../diagnostics.ts';
import { entryChannels } from '../families/blocks.ts';
import { DEFAULT_NAMING } from '../families/namings.ts';
import { isUsual, printNorm } from '../layers/norm.ts';
import { layerOutChannels, printLayer } from '../layers/queries.ts';
import { type Diffusion, type Graph, LATER_DIFFUSION, usualLoss } from './graph.ts';
import { timeEmbedModule } from './modules.ts';
import { parameterCount, parameters } from './parameters.ts';

/** The graph as text, one line a layer: `  input_blocks.1.0  res_block 128 -> 256 film skip conv1x1  32x32`. */
export function printGraph(graph: Graph): string {
  const size = graph.image_size.join('x');
  const diffusion = graph.diffusion;
  const lines = [
    `graph ${graph.name}  ${graph.dims}D  [${entryChannels(graph)},${size}] -> ${graph.pool ? `[${graph.out_channels}]` : `[${graph.out_channels},${size}]`}`,
    ...(graph.super_resolution
      ? [`low_res [${graph.in_channels},${graph.super_resolution.low_res_size.join('x')}]`]
      : []),
    printTimeEmbed(graph),
    ...(graph.num_classes === null ? [] : [`label_emb ${graph.num_classes} classes`]),
    printDiffusion(diffusion),
  ];
  if (graph.center_input) lines.push('x -> 2 x - 1');
  if (graph.use_checkpoint) lines.push('training recomputes blocks');
  if (graph.naming !== DEFAULT_NAMING) lines.push(`names as in ${graph.naming}`);
  const skips: string[] = [];
  for (const block of graph.blocks) {
    const end = last(block.layers);
    const out = `[${layerOutChannels(end.layer)},${end.out_size.join('x')}]`;
    if (block.role === 'input') skips.push(block.path);
    const stack = { input: `push ${out}`, middle: out, output: `pop ${skips.at(-1)} ${out}` }[block.role];
    if (block.role === 'output') skips.pop();
    lines.push(`${block.path}  ${stack}`);
    for (const { layer, path, in_size, out_size } of block.layers) {
      const sizes = [...new Set([in_size.join('x'), out_size.join('x')])].join(' -> ');
      lines.push(`  ${path}  ${printLayer(layer)}  ${sizes}`);
    }
  }
  const { channels, norm } = graph.head;
  const groups = isUsual(norm) ? '' : ` of ${printNorm(norm)}`;
  lines.push(
    graph.pool === null
      ? `out  norm${groups} silu conv ${channels} -> ${graph.out_channels}  ${size}`
      : `out  ${graph.pool.type} pool${groups}${graph.pool.type === 'attention' ? ` heads of ${graph.pool.head_channels}` : ''}  ${graph.out_channels} classes`,
  );
  lines.push(`parameters ${parameterCount(graph)} in ${parameters(graph).length} tensors`);
  return `${lines.join('\n')}\n`;
}

/** The time embedding in a line, without what is as in improved-diffusion. */
function printTimeEmbed(graph: Graph): string {
  const { channels, hidden } = graph.time_embed;
  const options = timeEmbedModule(graph).facts.map(({ printed }) => printed);
  return [`time_embed ${channels} -> ${hidden}`, ...options].filter((word) => word !== '').join(' ');
}

/** The process in a line; keys that few graphs have are told where they say something of their own. */
function printDiffusion(diffusion: Diffusion): string {
  const { steps, noise_schedule, predict, variance, rescale_timesteps, ...later } = diffusion;
  const usual: Omit<typeof later, never> = { ...LATER_DIFFUSION, loss: usualLoss(variance) };
  const said = Object.entries(later).filter(([key, value]) => value !== usual[key as keyof typeof later]);
  return [
    `diffusion ${steps} steps ${noise_schedule} ${predict} ${variance}`,
    ...(rescale_timesteps ? ['rescale_timesteps'] : []),
    ...said.map(([key, value]) => `${key} ${value}`),
  ].join(' ');
}
