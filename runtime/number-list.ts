// Lists of whole numbers as text: `0-15` or `1,5,9-12`, as seeds and labels are named on the command line and on pages, and
// as manifests keep them.

/** The most numbers that one list may name: a typing slip such as 0-99999999999 must not fill the memory. */
const LONGEST_LIST = 1_000_000;

const EXAMPLES = 'write numbers and ranges, such as 3, 0-15 or 1,5,9-12';

/** The numbers of a list, or what is wrong with its text. */
export type NumberList = { readonly numbers: readonly number[] } | { readonly fault: string };

/** Whole numbers and ranges with both ends included, `1,5,9-12`, in the order they are named; repeats are kept. */
export function readNumbers(text: string): NumberList {
  const numbers: number[] = [];
  for (const part of text.split(',').map((word) => word.trim())) {
    const range = readRange(part, text);
    if ('fault' in range) return range;
    const { first, last } = range;
    if (numbers.length + last - first >= LONGEST_LIST) {
      return { fault: `'${text}' names more than ${LONGEST_LIST} numbers; split the run` };
    }
    for (let n = first; n <= last; n++) numbers.push(n);
  }
  return { numbers };
}

type Range = { readonly first: number; readonly last: number } | { readonly fault: string };

function readRange(part: string, text: string): Range {
  const found = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(part);
  if (found === null) {
    const what = part === '' ? `an empty part in '${text}'` : `'${part}'`;
    return { fault: `found ${what}; ${EXAMPLES}` };
  }
  const first = Number(found[1]);
  const last = found[2] === undefined ? first : Number(found[2]);
  if (![first, last].every(Number.isSafeInteger)) {
    return { fault: `'${part}' is too large; the largest is ${Number.MAX_SAFE_INTEGER}` };
  }
  if (last < first) return { fault: `'${part}' runs backwards; write ${last}-${first}` };
  return { first, last };
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
