// The tensors of a checkpoint by the layer they belong to: `input_blocks.3.0` has `in_layers.0.weight` and so on.

import { LIMITS } from '../spec/fields.ts';

type Shape = readonly number[];

/** Names and shapes, as a checkpoint has them. */
export type Tensors = ReadonlyMap<string, Shape>;

/** Shapes of one layer by what follows its path. */
export type LayerTensors = ReadonlyMap<string, Shape>;

/** The layers of a block by their position in it; a position without tensors is left out. */
export type BlockTensors = ReadonlyMap<number, LayerTensors>;

export interface GroupedTensors {
  /** What every name begins with and no name of the family does: `module.`, `model.`; mostly nothing. */
  readonly prefix: string;
  /** All tensors under the names of the family. */
  readonly all: Tensors;
  readonly input: ReadonlyMap<number, BlockTensors>;
  readonly middle: BlockTensors;
  readonly output: ReadonlyMap<number, BlockTensors>;
}

const ANCHOR = 'time_embed.0.weight';
const LAYER = /^(?:(input|output)_blocks\.(\d{1,4})|middle_block)\.(\d{1,2})\.(.+)$/;

/** Sorts tensors into blocks and layers. What is in none, or beyond every limit, is in `all` alone. */
export function groupTensors(tensors: Tensors): GroupedTensors {
  const prefix = sharedPrefix([...tensors.keys()]);
  const all = new Map([...tensors].map(([name, shape]) => [name.slice(prefix.length), shape]));
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

/** The prefix that stands before the time embedding, where all names have it. */
function sharedPrefix(names: readonly string[]): string {
  const anchor = names.find((name) => name === ANCHOR || name.endsWith(`.${ANCHOR}`));
  const prefix = anchor?.slice(0, -ANCHOR.length) ?? '';
  return names.every((name) => name.startsWith(prefix)) ? prefix : '';
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
