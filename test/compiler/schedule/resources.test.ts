// Resources as a property of schedules: what a group reads was written before by a group or is given, each is written once,
// and the memory plan holds exactly what is written and given, in slots that are as large as what lives in them.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import {
  givenTo,
  homeOfResource,
  type Resource,
  readsOf,
  resourceName,
  resourceWords,
  takenFrom,
  writesOf,
  writtenAs,
} from '../../../compiler/schedule/resources.ts';
import { TARGETS } from '../../../compiler/target.ts';
import { GOLDEN_NAMES, goldenGraph } from '../../golden-cases.ts';

const folder = new URL('../../../graphs/', import.meta.url);
const published = readdirSync(folder).filter((file) => /^[\w-]+\.json$/.test(file) && file !== 'schema.json');
const texts = [
  ...GOLDEN_NAMES.map((name) => [name, goldenGraph(name)] as const),
  ...published.map((file) => [file, readFileSync(new URL(file, folder), 'utf8')] as const),
];
const variants = [{}, { precision: 'f16' }, { taps: true, batch: 3 }, { fuse: false }] as const;

describe.each(texts)('%s', (name, text) => {
  const { graph } = loadGraph(text, name);
  test.each(TARGETS)('on $name', (target) => {
    for (const options of variants) {
      const { schedule, memory } = compileGraph(graph, { ...options, target });
      const bytes = new Map<string, number>();
      for (const given of givenTo(schedule.graph)) bytes.set(resourceName(given.resource), given.bytes);
      for (const group of schedule.groups) {
        for (const { resource, bytes: read } of readsOf(schedule.graph, group))
          expect(bytes.get(resourceName(resource)), resourceWords(resource)).toBe(read);
        for (const { resource, bytes: written } of writesOf(schedule.graph, group)) {
          expect(bytes.has(resourceName(resource)), resourceWords(resource)).toBe(false);
          bytes.set(resourceName(resource), written);
          if (homeOfResource(resource) === 'texture') {
            expect(homeOfResource(writtenAs(resource))).toBe('buffer');
            bytes.set(resourceName(writtenAs(resource)), written);
          }
        }
      }
      for (const resource of takenFrom(schedule.graph))
        expect([...bytes.keys()]).toContain(resourceName(resource));

      expect(new Map(memory.lifetimes.map((one) => [one.name, one.bytes]))).toEqual(bytes);
      expect([...memory.slotOf.keys()].sort()).toEqual([...bytes.keys()].sort());
      const largest = memory.slots.map((_, slot) =>
        Math.max(...[...memory.slotOf].flatMap(([name, at]) => (at === slot ? [bytes.get(name)!] : []))),
      );
      expect(memory.slots.map((slot) => slot.bytes)).toEqual(largest);
      for (const { resource, name } of memory.lifetimes)
        expect(memory.slots[memory.slotOf.get(name)!]!.storage).toBe(homeOfResource(resource));
    }
  });
});

test('every kind of resource has names of its own', () => {
  const resources: readonly Resource[] = [
    { kind: 'value', value: 3, home: 'buffer' },
    { kind: 'value', value: 3, home: 'texture' },
    { kind: 'statistics', value: 3, merged: false },
    { kind: 'statistics', value: 3, merged: true },
    { kind: 'affine', node: 3 },
    { kind: 'input_planes', value: 3, home: 'texture' },
    { kind: 'output_planes', value: 3 },
    { kind: 'cotangent_planes', value: 3 },
    { kind: 'staged', of: { kind: 'value', value: 3, home: 'texture' } },
    { kind: 'staged_weights' },
  ];
  expect(new Set(resources.map(resourceName)).size).toBe(resources.length);
  expect(new Set(resources.map(resourceWords)).size).toBe(resources.length);
});
