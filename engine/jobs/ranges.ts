// Lists of whole numbers as text: `0-15` or `1,5,9-12`, as seeds and labels are named and as manifests keep them.

import { UsageError } from '../errors.ts';

/** The most numbers that one list may name: a typing slip such as 0-99999999999 must not fill the memory. */
const LONGEST_LIST = 1_000_000;

const EXAMPLES = 'write numbers and ranges, such as 3, 0-15 or 1,5,9-12';

/**
 * Whole numbers and ranges with both ends included, `1,5,9-12`, in the order they are named; repeats are kept. Throws
 * UsageError, which begins with `label`.
 */
export function parseNumbers(text: string, label: string): readonly number[] {
  const numbers: number[] = [];
  for (const part of text.split(',').map((word) => word.trim())) {
    const [first, last] = parseRange(part, text, label);
    if (numbers.length + last - first >= LONGEST_LIST) {
      throw new UsageError(`${label}: '${text}' names more than ${LONGEST_LIST} numbers; split the run`);
    }
    for (let n = first; n <= last; n++) numbers.push(n);
  }
  return numbers;
}

function parseRange(part: string, text: string, label: string): readonly [number, number] {
  const found = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(part);
  if (found === null) {
    const what = part === '' ? `an empty part in '${text}'` : `'${part}'`;
    throw new UsageError(`${label}: found ${what}; ${EXAMPLES}`);
  }
  const first = Number(found[1]);
  const last = found[2] === undefined ? first : Number(found[2]);
  for (const end of [first, last]) {
    if (!Number.isSafeInteger(end)) {
      throw new UsageError(`${label}: '${part}' is too large; the largest is ${Number.MAX_SAFE_INTEGER}`);
    }
  }
  if (last < first) throw new UsageError(`${label}: '${part}' runs backwards; write ${last}-${first}`);
  return [first, last];
}

/** Numbers as a list of ranges in their order: `0-7,12`. */
export function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const n of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1 === n) last[1] = n;
    else ranges.push([n, n]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
