// Lists of whole numbers as options name them; what is wrong with one is an error of the call.

import { readNumbers } from '../../runtime/number-list.ts';
import { UsageError } from '../errors.ts';

export { rangesOf } from '../../runtime/number-list.ts';

/**
 * Whole numbers and ranges with both ends included, `1,5,9-12`, in the order they are named; repeats are kept. Throws
 * UsageError, which begins with `label`.
 */
export function parseNumbers(text: string, label: string): readonly number[] {
  const list = readNumbers(text);
  if ('fault' in list) throw new UsageError(`${label}: ${list.fault}`);
  return list.numbers;
}
