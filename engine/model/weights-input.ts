// Weights as a caller of the Node API gives them: a name, or tensors in memory.

import type { TakeTurn } from '../../runtime/host/node/turns.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { weightsInMemory } from '../../runtime/weights/memory.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { openRenamed, renamedBy } from '../checkpoint/renamed-weights.ts';
import { sha256Of, sha256OfValues, weightsDigest } from '../digest.ts';
import type { ModelSource } from './model-source.ts';

export type WeightsInput = string | ReadonlyMap<string, Tensor>;

/** The weights under the names of the graph. */
export async function weightsOf(
  weights: WeightsInput,
  renameMap: string | undefined,
  { graph }: Pick<ModelSource, 'graph'>,
): Promise<WeightSource> {
  return typeof weights === 'string'
    ? openRenamed(weights, renameMap, graph)
    : renamedBy(renameMap, weightsInMemory(weights), graph);
}

/** What tells weights from others. */
export async function digestOfInput(
  weights: WeightsInput,
  renameMap: string | undefined,
  takeTurn: TakeTurn,
): Promise<string> {
  if (typeof weights === 'string') return weightsDigest(weights, renameMap, takeTurn);
  const lines = [...weights].map(
    ([name, { shape, data }]) => `${name} ${shape.join('x')} ${sha256OfValues(data)}`,
  );
  return sha256Of([...lines.sort(), renameMap ?? ''].join('\n'));
}
