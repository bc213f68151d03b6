// The constants of a kernel's text, and expressions of them as kernels write them: lengths of arrays, rounds of loops.

import { invariant } from '../../diagnostics.ts';

/** The constants of a text by their names, `const NAME = 64u;` or `const NAME: u32 = 64u;`, as they are spelled. */
export function constantsOf(wgsl: string): ReadonlyMap<string, string> {
  const found = wgsl.matchAll(/^const (\w+)(?:: u32)? = ([^;]+);/gm);
  return new Map([...found].map(([, name, text]) => [name!, text!]));
}

/** The value of an expression of integers and constants: sums of products, quotients and remainders. */
export function integerOf(text: string, constants: ReadonlyMap<string, string>): number {
  return text
    .split('+')
    .map((summand) =>
      [...summand.matchAll(/([*/%]?)\s*(\w+)/g)].reduce((value, [, sign, word]) => {
        const factor = /^\d/.test(word!) ? Number.parseInt(word!, 10) : ofConstant(word!, constants);
        if (sign === '/') return Math.floor(value / factor);
        return sign === '%' ? value % factor : value * factor;
      }, 1),
    )
    .reduce((a, b) => a + b, 0);
}

function ofConstant(name: string, constants: ReadonlyMap<string, string>): number {
  const text = constants.get(name);
  invariant(text !== undefined, () => `${name} is no constant of the kernel`);
  return integerOf(text, constants);
}
