// Opens weights by what is said on the command line: a checkpoint's path, or `hash:SEED`.

import { openCheckpoint } from '../../weights/checkpoint.ts';
import { hashWeights } from '../../weights/hash.ts';
import type { WeightSource } from '../../weights/source.ts';
import { openFile } from './files.ts';

/**
 * The weights that `spec` names: a `.safetensors` file, a `.pt` file (told apart by content), or `hash:SEED`.
 * The header is read and checked here, tensors when asked for. Throws a RuntimeError of kind `weights`.
 */
export function openWeights(spec: string): WeightSource {
  return hashWeights(spec) ?? openCheckpoint(openFile({ kind: 'weights', label: spec }), spec);
}
