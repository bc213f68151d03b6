// `unetc diff --train`: both graphs compiled as steps of training, on the command line, in the Node API, and for a branch.

import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { diff, UsageError } from '../../../engine/api.ts';
import type { GraphStats } from '../../../engine/compile/graph-stats.ts';
import type { DiffDocument } from '../../../engine/diff/document.ts';
import { tinyGraph } from '../../fixtures/tiny-training.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc, unetcJson } from '../../unetc.ts';

const at = temporaryFolder();
const sides = () => {
  writeFileSync(at('a.json'), tinyGraph());
  writeFileSync(at('b.json'), tinyGraph({ attention_resolutions: [1] }));
  return [at('a.json'), at('b.json')] as const;
};

describe('the document', () => {
  test('has what stats says of both, what becomes of runs, and fits the schema', async () => {
    const [a, b] = sides();
    const { exit: _, ...found } = await unetcJson<DiffDocument>(
      'diff',
      a,
      b,
      '--train',
      '--batch',
      '2',
      '--averages',
      '2',
    );
    const schema = readFileSync(new URL('../../../docs/diff.schema.json', import.meta.url), 'utf8');
    const validate = new Ajv({ strict: false }).compile(JSON.parse(schema));
    expect(validate(found), JSON.stringify(validate.errors)).toBe(true);
    const { training } = await unetcJson<GraphStats>(
      'stats',
      b,
      '--train',
      '--batch',
      '2',
      '--averages',
      '2',
    );
    const { bytes, state_bytes, activation_bytes, flops } = training!;
    expect(found.training).toMatchObject({
      ...{ batch: 2, limit: null, fits: null },
      b: { bytes, state_bytes, activation_bytes, flops, recomputed_blocks: 0 },
    });
    const { kept, others } = found.training!;
    expect([...new Set(others.map(({ is }) => is))]).toEqual(['zeros']);
    expect(kept + others.length).toBe((await unetcJson<GraphStats>('stats', b)).tensors);
    expect(found.findings.map(({ rule }) => rule)).toContain('training/renamed');
  });

  test('of a limit has the blocks that are computed again, or what fits', async () => {
    const [a, b] = sides();
    const free = (await diff(a, b, { train: true, batch: 4 })).training!;
    const limit = (kept: number) => diff(a, b, { train: true, batch: 4, memory: kept });
    const tight = (await limit(free.b.bytes - 1)).training!;
    expect(tight.b.bytes).toBeLessThan(free.b.bytes);
    expect(tight.b.recomputed_blocks).toBeGreaterThan(0);
    const none = await limit(free.b.state_bytes);
    expect(none.training!.fits).toBe(null);
    expect(none.findings.map(({ rule }) => rule)).toContain('training/limit');
  });

  test('has no training unasked, and of equal graphs the same numbers twice', async () => {
    const [a, b] = sides();
    expect((await diff(a, b)).training).toBe(undefined);
    const same = await diff(a, a, { train: true });
    expect([same.findings, same.training!.a]).toEqual([[], same.training!.b]);
  });
});

describe('in float16', () => {
  test('the document has what stats says of both sides there, and fits the schema', async () => {
    const [a, b] = sides();
    const words = ['--train', '--batch', '4', '--precision', 'f16'];
    const { exit: _, ...found } = await unetcJson<DiffDocument>('diff', a, b, ...words);
    const schema = readFileSync(new URL('../../../docs/diff.schema.json', import.meta.url), 'utf8');
    const validate = new Ajv({ strict: false }).compile(JSON.parse(schema));
    expect(validate(found), JSON.stringify(validate.errors)).toBe(true);
    for (const [file, side] of [
      [a, found.training!.a],
      [b, found.training!.b],
    ] as const) {
      const { bytes, state_bytes, activation_bytes, flops } = (
        await unetcJson<GraphStats>('stats', file, ...words)
      ).training!;
      expect(side).toMatchObject({ bytes, state_bytes, activation_bytes, flops });
    }
    const f32 = (await diff(a, b, { train: true, batch: 4 })).training!;
    expect([f32.precision, found.training!.precision]).toEqual(['f32', 'f16']);
    expect(found.training!.b.activation_bytes).not.toBe(f32.b.activation_bytes);
    // what becomes of runs is the same, for what they keep is float32
    expect(found.training).toMatchObject({ kept: f32.kept, others: f32.others });
  });

  test('a limit has blocks computed again there, too, and the Node API the same document', async () => {
    const [a, b] = sides();
    const free = (await diff(a, b, { train: true, batch: 4, precision: 'f16' })).training!;
    const memory = free.b.bytes - 1;
    const tight = (await diff(a, b, { train: true, batch: 4, precision: 'f16', memory })).training!;
    expect(tight.b.bytes).toBeLessThan(free.b.bytes);
    expect(tight.b.recomputed_blocks).toBeGreaterThan(0);
  });

  test.each(['text', 'markdown', 'github', 'sarif', 'html'])('%s says so', async (format) => {
    const [a, b] = sides();
    const of = async (...words: readonly string[]) =>
      (await unetc('diff', a, b, '--train', '--format', format, ...words)).stdout;
    expect(await of('--precision', 'f16')).toMatch(/16 samples( at once)? in float16/);
    expect(await of()).not.toContain('float16');
  });

  test('is refused without --train, and another word', async () => {
    const [a, b] = sides();
    const alone = await unetc('diff', a, b, '--precision', 'f16');
    expect([alone.exit, alone.stderr]).toEqual([
      2,
      expect.stringContaining('--precision: it is of a step of training; give --train, too'),
    ]);
    const other = await unetc('diff', a, b, '--train', '--precision', 'f8');
    expect([other.exit, other.stderr]).toEqual([2, expect.stringContaining('--precision')]);
  });
});

test('text and markdown have a table of their own', async () => {
  const [a, b] = sides();
  const text = (await unetc('diff', a, b, '--train')).stdout;
  expect(text).toMatch(
    /training {2}a step of 16 samples at once.*\n {4}~ bytes of a step +[\d,]+ +[\d,]+ {2}\+/,
  );
  const markdown = (await unetc('diff', a, b, '--train', '--format', 'markdown')).stdout;
  expect(markdown).toContain('| a step of training, 16 samples at once | before | after | |');
});

test('a graph without a loss is told', async () => {
  const [a] = sides();
  writeFileSync(at('c.json'), tinyGraph({ out_channels: 5 }));
  const { notes, training } = await diff(a, at('c.json'), { train: true });
  expect(training).toBe(undefined);
  expect(notes.join()).toMatch(/training was not compared: tiny has 5 output channels/);
});

test('options of a step alone are refused, and those that are off', async () => {
  const [a, b] = sides();
  const { exit, stderr } = await unetc('diff', a, b, '--batch', '4');
  expect([exit, stderr]).toEqual([
    2,
    expect.stringContaining('--batch: it is of a step of training; give --train, too'),
  ]);
  await expect(diff(a, b, { memory: 1e9 })).rejects.toThrow(UsageError);
  await expect(diff(a, b, { train: true, averages: 17 })).rejects.toThrow('averages: found 17');
});
