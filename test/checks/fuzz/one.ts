// One input: made, read under a clock and an eye on memory, and judged.

import type { Parser } from './parser.ts';
import { randomOf } from './random.ts';

export interface Failed {
  readonly parser: string;
  readonly index: number;
  /** What it threw, or which limit it passed. */
  readonly what: string;
}

export interface Judged {
  readonly taken: boolean;
  readonly failed: Failed | null;
}

/** The most that one input may take of a processor; slower ones are read again, for a collection of garbage may be due. */
const MOST_MILLISECONDS = 1000;
const TRIES = 3;
/** What the process may grow by while one input is read. */
const MOST_BYTES = 192 * 2 ** 20;

export function inputOf(parser: Parser, seed: number, index: number): Uint8Array {
  return parser.make(randomOf(seed, parser.name, index));
}

export async function judge(
  parser: Parser,
  seed: number,
  index: number,
  at: (name: string) => string,
): Promise<Judged> {
  const input = inputOf(parser, seed, index);
  const failed = (what: string): Judged => ({ taken: false, failed: { parser: parser.name, index, what } });
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const before = process.resourceUsage().maxRSS;
    const start = process.cpuUsage();
    let taken: boolean;
    try {
      taken = await parser.read(input, at);
    } catch (error) {
      return failed(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1000);
    const grown = (process.resourceUsage().maxRSS - before) * 1024;
    if (grown > MOST_BYTES) return failed(`the process grew by ${Math.round(grown / 2 ** 20)} MB`);
    if (least < MOST_MILLISECONDS) return { taken, failed: null };
  }
  return failed(`it took ${Math.round(least)} ms, ${TRIES} times`);
}
