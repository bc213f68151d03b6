import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GraphError } from '../../../compiler/diagnostics.ts';
import { RULES } from '../../../compiler/format/rules.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { graphSchema } from '../../../compiler/spec/schema.ts';

const readme = readFileSync(new URL('../../../graphs/README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```json\n(.*?)```/gs)].map((m) => m[1]!);

test('the examples are valid graphs of both forms', () => {
  expect(examples.map((text) => loadGraph(text, 'README.md').warnings)).toEqual([[], []]);
});

test('the fault that it shows is what the first example gives with five heads', () => {
  const five = examples[0]!.replace('"channel_mult": [1, 2, 2]', '$&,\n    "num_heads": 5');
  expect(() => loadGraph(five, 'mine.json')).toThrow(GraphError);
  try {
    loadGraph(five, 'mine.json');
  } catch (error) {
    expect(readme.split('\n')).toContain((error as GraphError).message);
  }
});

test('it lists every rule with its title', () => {
  const rows = [...readme.matchAll(/^\| (G\d{3}) +\| (.*?) +\|$/gm)].map((m) => [m[1], m[2]]);
  expect(rows).toEqual(Object.entries(RULES).map(([code, { title }]) => [code, title]));
});

test('it names every key of the format', () => {
  const keys = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys((node as { properties?: object }).properties ?? {})) keys.add(key);
    for (const value of Object.values(node)) visit(value);
  };
  visit(graphSchema());
  expect(keys.size).toBeGreaterThan(40);
  const named = (key: string): boolean => new RegExp(`[\`."]${key.replace('$', '\\$')}[\`"]`).test(readme);
  expect([...keys].filter((key) => !named(key))).toEqual([]);
});
