// Wording that the messages of the rules share.

/** Numbers as a choice: `4, 6 or 8`. */
export function either(numbers: readonly number[]): string {
  return numbers.length < 2 ? numbers.join('') : `${numbers.slice(0, -1).join(', ')} or ${numbers.at(-1)}`;
}

/** `1 block`, `2 blocks`; `plural` for a noun that takes more than an s. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}
