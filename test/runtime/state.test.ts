// What a manifest may say of states and of weights that dispatches fill, and that Dawn takes what it may say.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Copy, formatManifest } from '../../runtime/bundle.ts';
import { checkManifest } from '../../runtime/bundle-check.ts';
import { openNullDevice } from '../../runtime/host/node/dawn.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import { parseBundle } from '../../runtime/parse-bundle.ts';
import { createProgram } from '../../runtime/program.ts';
import { FIRST, stateBundle } from '../fixtures/state-bundle.ts';

const bundle = await stateBundle();
let opened: OpenedDevice;
beforeAll(async () => {
  opened = await openNullDevice();
});
afterAll(() => opened.close());

/** Values to be put into a manifest, by their paths. */
type Edits = Readonly<Record<string, unknown>>;

/** A copy of what the first dispatch writes to slot 3, changed. */
function copy(change: Partial<Copy>): Copy {
  return { from: 2, to: { kind: 'slot', slot: 3 }, first: 0, count: 2, ...change };
}

/** The faults of the manifest after a change. */
function faultsAfter(edits: Edits): readonly string[] {
  const copy = structuredClone(bundle.manifest);
  for (const [path, value] of Object.entries(edits)) {
    const keys = path.split('.');
    const parent = keys.slice(0, -1).reduce((node: Record<string, never>, key) => node[key]!, copy as never);
    Object.assign(parent, { [keys.at(-1)!]: value });
  }
  return checkManifest(copy);
}

test('the bundle made by hand is sound, and reads back as it was', async () => {
  expect(checkManifest(bundle.manifest)).toEqual([]);
  const text = formatManifest(bundle.manifest);
  const read = await parseBundle(text, (file) => bundle.kernels.get(file), 'the bundle');
  expect(read.manifest).toEqual(bundle.manifest);
});

test('it runs on the null backend, where states are read and written', async () => {
  const asked: string[] = [];
  const read = (name: string) => {
    asked.push(name);
    return FIRST;
  };
  const program = await createProgram(bundle, read, opened);
  expect(asked).toEqual(['p']);
  const results = await program.run({ x: { shape: [8], data: FIRST }, scale: [1, 0] });
  expect([...results.keys()]).toEqual(['product', 'halves']);
  await program.state.write('total', { shape: [8], data: FIRST });
  expect((await program.state.read('image')).shape).toEqual([1, 3, 2]);
  program.close();
});

test('weights may be filled by another pass than the one that reads them', () => {
  const [add, count, pack, ...rest] = bundle.manifest.dispatches;
  const passes = [
    { name: 'forward', dispatches: 5 },
    { name: 'pack', dispatches: 1 },
  ];
  expect(faultsAfter({ dispatches: [add, count, ...rest, pack], passes })).toEqual([]);
});

describe('each fault has its place', () => {
  const { weights, dispatches } = bundle.manifest;
  test.each<[string, Edits, string]>([
    ['a pass too many', { 'passes.1.dispatches': 2 }, '/passes: have 7 of 6 dispatches'],
    ['two passes of one name', { 'passes.1.name': 'forward' }, '/passes: two passes of one name'],
    [
      'weights that no pass fills',
      { 'dispatches.2.bindings.1.access': 'read' },
      '/dispatches/2: weights 0 are read before a dispatch filled them',
    ],
    [
      'a time path of more than the first pass',
      { 'time_path.dispatches': 6 },
      '/time_path/dispatches: 6 of the 5 dispatches of the first pass',
    ],
    ['a state in the slot of an input', { 'state.0.slot': 0 }, '/state/0: slot 0 is that of input x, too'],
    [
      'two states at the same bytes',
      { 'state.1.slot': 2 },
      '/state/1: begins at byte 0 of slot 2, where state total ends at 32',
    ],
    [
      'a state that ends behind its slot',
      { 'state.0.offset': 16 },
      '/state/0: needs 48 bytes, slot 2 has 32',
    ],
    ['a state between vectors', { 'state.0.offset': 4 }, '/state/0/offset: 4 is no multiple of 16'],
    [
      'a part of a slot that ends behind it',
      { 'dispatches.0.bindings.0.part': { offset: 0, bytes: 4096 } },
      '/dispatches/0/bindings/0/part: ends at byte 4096 of a slot of',
    ],
    [
      'a part of a slot where no binding begins',
      { 'dispatches.0.bindings.0.part': { offset: 16, bytes: 4 } },
      '/dispatches/0/bindings/0/part/offset: 16 is no multiple of 256',
    ],
    [
      'an output in the slot of a state',
      { 'outputs.0.slot': 2 },
      '/outputs/0: slot 2 is that of state total, which keeps it for itself',
    ],
    [
      'a state larger than its slot',
      { 'state.1.shape': [1, 3, 5] },
      '/state/1: needs 80 bytes, slot 3 has 32',
    ],
    [
      'a state that begins as no parameter',
      { 'state.0.initial': { parameter: 'q' } },
      '/state/0/initial: no parameter is called q',
    ],
    [
      'a state of another size than its parameter',
      { 'parameters.0.shape': [9] },
      '/state/0/initial: p has 9 elements, the state 8',
    ],
    [
      'a state in a texture',
      { 'slots.2.storage': 'texture' },
      '/state/0: slot 2 is a texture, the interface is in buffers',
    ],
    [
      'weights of the host without parts',
      { 'weights.0.filled': 'host' },
      '/weights/0/filled: filled by the host with 0 parts',
    ],
    [
      'weights of the host that a dispatch writes',
      { 'weights.0.filled': 'host' },
      '/dispatches/2/bindings/1: weights 0 are filled by the host, no dispatch writes them',
    ],
    [
      'weights that are read before they are filled',
      { dispatches: dispatches.toReversed() },
      '/dispatches/2: weights 0 are read before a dispatch filled them',
    ],
    [
      'an arena that a dispatch reads and writes',
      {
        weights: [...weights, { ...weights[0], length: 4 }],
        'dispatches.2.bindings.0': { kind: 'weights', weights: 1, access: 'read' },
      },
      '/dispatches/2: arena 0 is both read and written',
    ],
    [
      'a slot that is bound for writing twice',
      { 'dispatches.0.bindings.0': { kind: 'slot', slot: 2, access: 'read_write' } },
      '/dispatches/0: slot 2 is bound for writing twice',
    ],
    [
      'a copy of a slot that its dispatch does not write',
      { 'dispatches.0.copies': [copy({ from: 0 })] },
      '/dispatches/0/copies/0/from: the dispatch writes no slot 0',
    ],
    [
      'a copy of more than stands there',
      { 'dispatches.0.copies': [copy({ first: 1 })] },
      '/dispatches/0/copies/0: ends at byte 48 of slot 2, which has 32',
    ],
    [
      'a copy into a buffer',
      { 'dispatches.0.copies': [copy({})] },
      '/dispatches/0/copies/0/to: slot 3 is no texture that dispatches fill',
    ],
    [
      'a copy into a texture that is too small',
      { 'slots.3': { storage: 'texture', bytes: 16 }, 'dispatches.0.copies': [copy({})] },
      '/dispatches/0/copies/0: ends at byte 32 of slot 3, a texture of 16',
    ],
    [
      'a copy into weights in an arena',
      { 'dispatches.0.copies': [copy({ to: { kind: 'weights', weights: 0 } })] },
      '/dispatches/0/copies/0/to: entry 0 of the weights is no texture that dispatches fill',
    ],
    [
      'a state in the time path',
      { 'time_path.dispatches': 1 },
      '/dispatches/0: is of the time path and binds state total, which passes change',
    ],
    [
      'weights of a dispatch in the time path',
      { 'time_path.dispatches': 3 },
      '/dispatches/2: is of the time path and binds weights 0, which passes change',
    ],
  ])('%s', (_, edits, message) => {
    expect(faultsAfter(edits).join('\n')).toContain(`manifest.json:${message}`);
  });
});
