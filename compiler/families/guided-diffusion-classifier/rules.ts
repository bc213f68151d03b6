// Rules of the keywords: those of the model whose way down it is, and that a pool of attention knows the width of its heads.

import type { Diagnostic } from '../../diagnostics.ts';
import { checkAdm } from '../guided-diffusion/rules.ts';
import { draftClassifier, ownPointer, wholeModel } from './draft.ts';
import type { ClassifierFile } from './keywords.ts';

/** All rules of the family; `image_size` is null where it is at fault. */
export function checkClassifier(
  file: ClassifierFile,
  image_size: readonly number[] | null,
): readonly Diagnostic[] {
  const { pool, num_head_channels } = file.adm_classifier;
  const shared = checkAdm(wholeModel(file).adm, draftClassifier(file), image_size).map((found) => {
    return { ...found, pointer: ownPointer(found.pointer) };
  });
  if (pool !== 'attention' || num_head_channels !== -1) return shared;
  const message = 'the pool "attention" has heads of this width, which is not said; write 64';
  const pointer = '/adm_classifier/num_head_channels';
  return [...shared, { severity: 'error', code: 'G012', pointer, message }];
}
