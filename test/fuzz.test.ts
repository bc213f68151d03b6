// The short form of `npm run test:fuzz`: some inputs of every parser, always the same ones.

import os from 'node:os';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { inputOf, judge } from './checks/fuzz/one.ts';
import { type Parser, readOr } from './checks/fuzz/parser.ts';
import { PARSERS } from './checks/fuzz/parsers/table.ts';
import { temporaryFolder } from './temporary-folder.ts';

const SEED = 1;
/** Inputs of a parser with the usual share. */
const INPUTS = 100;
const at = temporaryFolder();

vi.stubEnv('UNETC_ADAPTER', 'none');

test.each(PARSERS.map((parser) => [parser.name, parser] as const))(
  '%s takes inputs drawn at random, or refuses them in words of its own',
  async (_, parser) => {
    const inputs = Math.min(300, Math.max(20, parser.share * (INPUTS / 5)));
    let taken = 0;
    for (let index = 0; index < inputs; index++) {
      const judged = await judge(parser, SEED, index, at);
      expect(judged.failed).toBeNull();
      if (judged.taken) taken++;
    }
    // what is never taken, or always, is no test of what it reads
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(inputs);
  },
  120_000,
);

test('an input is made again by its seed and index alone', () => {
  for (const parser of PARSERS) {
    expect(inputOf(parser, 7, 3)).toEqual(inputOf(parser, 7, 3));
    const inputs = [0, 1, 2, 3].map((index) => Buffer.from(inputOf(parser, 7, index)).toString('hex'));
    expect(new Set(inputs).size).toBeGreaterThan(1);
  }
});

test('an error that is not the project’s own fails, and so does one that takes too long', async () => {
  const parser = (read: Parser['read']): Parser => ({
    name: 'x',
    share: 1,
    make: () => new Uint8Array(1),
    read,
  });
  const place = (name: string) => path.join(os.tmpdir(), name);
  const stray = await judge(
    parser(() => readOr(['input'], () => JSON.parse('{') !== null) as Promise<boolean>),
    1,
    0,
    place,
  );
  expect(stray.failed?.what).toContain('SyntaxError');
  const busy = (): boolean => {
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user + process.cpuUsage(start).system < 1_100_000);
    return true;
  };
  const slow = await judge(parser(busy), 1, 0, place);
  expect(slow.failed?.what).toMatch(/^it took 1\d\d\d ms, 3 times/);
});
