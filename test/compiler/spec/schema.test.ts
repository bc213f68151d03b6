import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { graphSchema, graphSchemaText } from '../../../compiler/spec/schema.ts';

const GRAPHS = new URL('../../../graphs/', import.meta.url);
const FILE = new URL('schema.json', GRAPHS);

test('graphs/schema.json is what the zod schemas generate', () => {
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(FILE, graphSchemaText());
  expect(readFileSync(FILE, 'utf8'), 'run again with UPDATE_GOLDEN=1').toBe(graphSchemaText());
});

test('every field has a description for editors to show', () => {
  const bare: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties, ...rest } = node as {
      properties?: Record<string, { description?: string; const?: unknown }>;
    };
    for (const [key, field] of Object.entries(properties ?? {})) {
      if (!field.description && field.const === undefined) bare.push(`${path}/${key}`);
      visit(field, `${path}/${key}`);
    }
    for (const [key, value] of Object.entries(rest)) visit(value, `${path}/${key}`);
  };
  visit(graphSchema(), '');
  expect(bare).toEqual([]);
});

test('every graph begins with the schema, so that editors complete and explain it', () => {
  const graphs = readdirSync(GRAPHS).filter((f) => f.endsWith('.json') && f !== 'schema.json');
  expect(graphs.length).toBeGreaterThanOrEqual(7);
  for (const graph of graphs) {
    const text = readFileSync(new URL(graph, GRAPHS), 'utf8');
    expect(Object.entries(JSON.parse(text))[0], graph).toEqual(['$schema', './schema.json']);
  }
});
