// The reports beside graphs: written, checked, held to budgets; those of this project are up to date.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { withoutNumbers } from '../../cli/report.ts';
import { patched } from '../fixtures/diff-sides.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();

function save(file: object): string {
  writeFileSync(at('mine.json'), JSON.stringify(file));
  return at('mine.json');
}

describe('unetc report', () => {
  test('writes a report that --check finds up to date until the graph changes', async () => {
    const graph = save(patched({}));
    expect((await unetc('report', graph, '--check')).exit).toBe(1);
    expect((await unetc('report', graph, '--write')).exit).toBe(0);
    const text = readFileSync(at('mine.report.txt'), 'utf8');
    expect(text).toMatch(/^Written from mine\.json by unetc report --write/);
    expect(text).toMatch(
      /\ndown\[1\]\.attn\[0\] +input_blocks\.3\.1 +attention 64 heads 2 +8x8 +[\d,]+ +[\d,]+ +\d+\.\d\d %\n/,
    );
    expect(text).toMatch(/\nschedule for generic, batch 1, f32: \d+ dispatches/);
    expect((await unetc('report', graph, '--check')).exit).toBe(0);

    save(patched({ unet: { num_heads: 4 } }));
    const { exit, stdout, stderr } = await unetc('report', graph, '--check');
    expect(exit).toBe(1);
    expect(stdout).toMatch(/\n-down\[1\]\.attn\[0\] .* heads 2 .*\n/);
    expect(stdout).toMatch(/\n\+down\[1\]\.attn\[0\] .* heads 4 .*\n/);
    expect(stderr).toContain(`run: unetc report ${graph} --write`);
  });

  test('leaves out files of a pattern that are no graphs, and counts any other as one', async () => {
    const graph = save(patched({}));
    writeFileSync(at('accepted.json'), '{ "format": "unetc-accepted", "version": 2, "graphs": {} }');
    const { exit, stdout, stderr } = await unetc('report', at('accepted.json'), graph, '--write');
    expect([exit, stdout.split('\n')]).toEqual([0, [`${at('mine.report.txt')}: written`, '']]);
    expect(stderr).toContain('accepted.json is left out: it is accepted findings');
    writeFileSync(at('other.json'), '{}');
    expect((await unetc('report', at('other.json'), graph)).exit).toBe(3);
  });

  test('--check holds the graph to its budgets', async () => {
    const graph = save(patched({ budgets: { params: 1000, dispatches: 10_000 } }));
    await unetc('report', graph, '--write');
    expect(readFileSync(at('mine.report.txt'), 'utf8')).toMatch(
      /parameters +[\d,]+ {2}of 1,000, OVER BUDGET\n/,
    );
    const { exit, stderr } = await unetc('report', graph, '--check');
    expect(exit).toBe(1);
    expect(stderr).toMatch(/[\d,]+ parameters where the budget is 1,000/);
  });

  test('prints without --write and --check, and as JSON', async () => {
    const graph = save(patched({}));
    expect((await unetc('report', graph)).stdout).toMatch(/^Written from mine\.json/);
    const { reports } = await unetcJson<{ reports: readonly object[] }>('report', graph, '--write');
    expect(reports).toEqual([{ graph, report: at('mine.report.txt'), over_budget: [], state: 'written' }]);
    expect((await unetc('report', graph, '--write', '--check')).exit).toBe(2);
    expect((await unetc('report', at('none.json'), '--check')).exit).toBe(3);
  });

  test('--write writes nothing where one of the graphs is bad', async () => {
    const graph = save(patched({}));
    expect((await unetc('report', graph, at('none.json'), '--write')).exit).toBe(3);
    expect(existsSync(at('mine.report.txt'))).toBe(false);
  });

  test('the command that mends a report can be pasted, whatever the path', async () => {
    writeFileSync(at("it's mine.json"), JSON.stringify(patched({})));
    const { stderr } = await unetc('report', at("it's mine.json"), '--check');
    expect(stderr).toContain(`run: unetc report '${at("it'\\''s mine.json")}' --write`);
  });

  test('leaves out the numbers of values', () => {
    const line = '#012 conv 32x64  skip[conv %130 %4]  f32[1,256,16,16]  %140 %7 -> %150  0.1 GFLOP  # x';
    expect(withoutNumbers(line)).toBe('conv 32x64  skip[conv]  f32[1,256,16,16]  0.1 GFLOP  # x');
  });
});

test('the reports of graphs/ are up to date', async () => {
  const folder = 'graphs/';
  const graphs = readdirSync(folder).filter((file) => file.endsWith('.json') && file !== 'schema.json');
  expect(graphs.length).toBeGreaterThanOrEqual(7);
  const mode = process.env.UPDATE_GOLDEN === '1' ? '--write' : '--check';
  const { exit, stdout } = await unetc('report', ...graphs.map((file) => folder + file), mode);
  expect(exit, `${stdout}\nrun again with UPDATE_GOLDEN=1, or npm run reports`).toBe(0);
});
