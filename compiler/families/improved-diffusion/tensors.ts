// The tensors of a checkpoint by the layer they belong to: `input_blocks.3.0` has `in_layers.0.weight` and so on.

import { LIMITS } from '../../format/fields.ts';
import type { Shape } from '../../ops/op.ts';
import { type BareTensors, type Tensors, withoutPrefix } from '../tensors.ts';

/** Shapes of one layer by what follows its path. */
export type LayerTensors = ReadonlyMap<string, Shape>;

/** The layers of a block by their position in it; a position without tensors is left out. */
export type BlockTensors = ReadonlyMap<number, LayerTensors>;

export interface GroupedTensors extends BareTensors {
  readonly input: ReadonlyMap<number, BlockTensors>;
  readonly middle: BlockTensors;
  readonly output: ReadonlyMap<number, BlockTensors>;
}

/** A tensor that every model of the family has. */
const ANCHOR = 'time_embed.0.weight';
const LAYER = /^(?:(input|output)_blocks\.(\d{1,4})|middle_block)\.(\d{1,2})\.(.+)$/;

/** Sorts tensors into blocks and layers. What is in none, or beyond every limit, is in `all` alone. */
export function groupTensors(tensors: Tensors): GroupedTensors {
  const { prefix, all } = withoutPrefix(tensors, ANCHOR);
  const input = new Map<number, Map<number, Map<string, Shape>>>();
  const output: typeof input = new Map();
  const middle = new Map<number, Map<string, Shape>>();
  for (const [name, shape] of all) {
    const found = LAYER.exec(name);
    if (!found) continue;
    const [, role, index = '', position = '', rest = ''] = found;
    if (Number(index) >= LIMITS.blocks || Number(position) >= LIMITS.layers) continue;
    const block =
      role === undefined ? middle : entry(role === 'input' ? input : output, Number(index), () => new Map());
    entry(block, Number(position), () => new Map<string, Shape>()).set(rest, shape);
  }
  return { prefix, all, input, middle, output };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
