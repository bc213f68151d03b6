// Invariants of a Graph: what lowering, import and printing rely on and no input can break.

import { invariant, last } from '../diagnostics.ts';
import { blockPath, entryChannels } from '../families/blocks.ts';
import { type Layer, layerDef } from '../layers/index.ts';
import { channelsAt, layerInChannels, layerOutChannels, layerOutSize } from '../layers/queries.ts';
import type { Graph } from './graph.ts';

/** Throws InternalError, naming the block or layer, where channels, sizes, paths or pushes and pops do not fit. */
export function verifyGraph(graph: Graph): void {
  const same = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();
  const pushed: { channels: number; size: readonly number[] }[] = [];
  let channels = entryChannels(graph);
  let size = graph.image_size;
  invariant(size.length === graph.dims, `${graph.dims} dimensions, image of ${size.join('x')}`);
  const roles = graph.blocks.map((b) => b.role).join(' ');
  const order = graph.pool ? /^(input )+middle$/ : /^(input )+middle( output)+$/;
  invariant(order.test(roles), `blocks in the order ${roles}`);

  const next = { input: 0, middle: 0, output: 0 };
  for (const block of graph.blocks) {
    invariant(block.index === next[block.role]++, `${block.path} is out of order`);
    invariant(block.path === blockPath(block), `${block.path} should be ${blockPath(block)}`);
    invariant(block.layers.length > 0, `${block.path} has no layers`);
    if (block.role === 'output') {
      const skip = pushed.pop();
      invariant(skip !== undefined, `${block.path} pops, but nothing is pushed`);
      invariant(same(skip.size, size), `${block.path} joins ${size.join('x')} with ${skip.size.join('x')}`);
      channels += skip.channels;
    }
    for (const [i, { layer, path, in_size, out_size }] of block.layers.entries()) {
      invariant(path === `${block.path}.${i}`, `${path} should be ${block.path}.${i}`);
      invariant(layerInChannels(layer) === channels, `${path} is given ${channels} channels`);
      invariant(same(in_size, size), `${path} is given ${size.join('x')}`);
      invariant(same(out_size, layerOutSize(layer, in_size)), `${path} does not give ${out_size.join('x')}`);
      verifyLayer(layer, path);
      channels = layerOutChannels(layer);
      size = out_size;
    }
    if (block.role === 'input') pushed.push({ channels, size });
  }
  invariant(graph.pool || pushed.length === 0, `${pushed.length} pushed outputs are never popped`);
  invariant(
    graph.head.channels === channels,
    `the head takes ${graph.head.channels} channels, ${channels} arrive`,
  );
  invariant(channels % graph.head.norm.groups === 0, `the head normalises ${channels} channels`);
  const back = graph.pool !== null || same(size, graph.image_size);
  invariant(back, `${last(graph.blocks).path} gives ${size.join('x')}`);
}

function verifyLayer(layer: Layer, path: string): void {
  const def = layerDef(layer.type);
  for (const { field, norm } of def.norms(layer)) {
    const channels = channelsAt(layer, field);
    invariant(
      channels % norm.groups === 0,
      `${path} normalises ${channels} channels in ${norm.groups} groups`,
    );
  }
  const attends = def.heads(layer);
  invariant(!attends || attends.channels % attends.heads === 0, `${path} has ${attends?.heads} heads`);
  const [wrong] = def.faults(layer);
  invariant(!wrong, `${path}: ${wrong?.message}`);
}
