// docs/diff.md names every rule, every format and every option of the command.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FORMATS } from '../../../cli/diff/render.ts';
import { DIFF_RULES, FAMILIES } from '../../../compiler/diff/rules.ts';
import { unetc } from '../../unetc.ts';

const root = new URL('../../../', import.meta.url);
const docs = readFileSync(new URL('docs/diff.md', root), 'utf8');

test.each(FAMILIES)('the rules of %s', (family) => {
  const row = docs.split('\n').find((line) => line.startsWith(`| ${family} |`))!;
  const named = [...row.matchAll(/`(-?[a-z-]+)`/g)].map(([, name = '']) =>
    name.replace(/^-/, 'reinterpreted-'),
  );
  const rules = Object.keys(DIFF_RULES).filter((rule) => rule.startsWith(`${family}/`));
  expect(named.map((name) => `${family}/${name}`).toSorted()).toEqual(rules.toSorted());
});

test('the formats', () => {
  const named = [...docs.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, name]) => name);
  expect(named).toEqual([...FORMATS]);
});

test('what the workflow calls is there', async () => {
  const workflow = readFileSync(new URL('.github/workflows/graph-diff.yml', root), 'utf8');
  const { stdout } = await unetc('diff', '--help');
  const lines = workflow.split('\n').filter((line) => /"\$UNETC"|\boptions\+?=/.test(line));
  const called = lines.flatMap((line) => line.match(/--[a-z-]+/g) ?? []);
  expect(called.length).toBeGreaterThan(2);
  const help = stdout + (await unetc('report', '--help')).stdout;
  expect(called.filter((option) => !help.includes(option))).toEqual([]);
});
