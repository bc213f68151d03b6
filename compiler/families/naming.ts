// What a naming is: the names that the checkpoints of a family have for the layers of a model and for their parts.

import {
  type Besides,
  LAYERS,
  type Layer,
  type LayerType,
  layerDef,
  type ModuleType,
  type PartOf,
} from '../layers/index.ts';
import { soundLayer } from '../layers/queries.ts';
import type { Shape } from '../ops/op.ts';
import type { DraftBlock } from './blocks.ts';

export interface Naming {
  /** What stands behind the prefix for each part of each module; '' where the part is the module itself. */
  readonly parts: { readonly [T in ModuleType]: Readonly<Record<PartOf<T>, string>> };
  /** The prefixes of what stands beside the blocks; '' for none. */
  readonly besides: Readonly<Record<keyof Besides, string>>;
  /** The prefix of every layer, block by block. */
  prefixes(blocks: readonly DraftBlock[]): readonly (readonly string[])[];
  /** Which of two parameters a checkpoint has first; 0 where they stand as in the graph. */
  compare(a: string, b: string): number;
  /** The module that a tensor belongs to, by its name alone: a layer's prefix, or the name of what stands beside them. */
  moduleOf(name: string): string;
}

/** The layer whose tensors these are, by what stands behind its prefix; null for none. */
export function readLayer(naming: Naming, tensors: ReadonlyMap<string, Shape>): Layer | null {
  for (const type of Object.keys(LAYERS) as LayerType[]) {
    const names: Readonly<Record<string, string>> = naming.parts[type];
    const layer = layerDef(type).read((part, tensor) => {
      const suffix = names[part];
      return tensors.get(suffix ? `${suffix}.${tensor}` : tensor);
    });
    if (layer) return soundLayer(layer);
  }
  return null;
}
