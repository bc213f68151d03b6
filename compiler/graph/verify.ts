// Invariants of a Graph: what lowering, import and printing rely on and no input can break.

import { invariant } from '../diagnostics.ts';
import { blockPath } from './draft.ts';
import { type Graph, NORM_GROUPS } from './graph.ts';
import { entryChannels, last, layerInChannels, layerOutChannels, layerOutSize } from './layers.ts';

/** Throws InternalError, naming the block or layer, where channels, sizes, paths or pushes and pops do not fit. */
export function verifyGraph(graph: Graph): void {
  const same = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();
  const pushed: { channels: number; size: readonly number[] }[] = [];
  let channels = entryChannels(graph);
  let size = graph.image_size;
  invariant(size.length === graph.dims, `${graph.dims} dimensions, image of ${size.join('x')}`);
  const roles = graph.blocks.map((b) => b.role).join(' ');
  invariant(/^(input )+middle( output)+$/.test(roles), `blocks in the order ${roles}`);

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
      if (layer.type === 'attention')
        invariant(channels % layer.heads === 0, `${path} has ${layer.heads} heads`);
      if (layer.type === 'attention' || layer.type === 'res_block') {
        invariant(channels % NORM_GROUPS === 0, `${path} normalises ${channels} channels`);
      }
      if (layer.type === 'res_block') {
        invariant(
          layer.out_channels % NORM_GROUPS === 0,
          `${path} normalises ${layer.out_channels} channels`,
        );
        invariant(
          layer.skip !== 'identity' || layer.out_channels === channels,
          `${path} cannot skip by identity`,
        );
      }
      channels = layerOutChannels(layer);
      size = out_size;
    }
    if (block.role === 'input') pushed.push({ channels, size });
  }
  invariant(pushed.length === 0, `${pushed.length} pushed outputs are never popped`);
  invariant(
    graph.head.channels === channels,
    `the head takes ${graph.head.channels} channels, ${channels} arrive`,
  );
  invariant(channels % NORM_GROUPS === 0, `the head normalises ${channels} channels`);
  invariant(same(size, graph.image_size), `${last(graph.blocks).path} gives ${size.join('x')}`);
}
