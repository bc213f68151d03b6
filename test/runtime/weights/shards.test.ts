import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openWeights } from '../../../runtime/host/node/open-weights.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { faultOf } from '../../fixtures/faults.ts';
import { dict, floats, tensor, torchArchive } from '../../fixtures/torch-archive.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();

/** A safetensors file with the given tensors of one element. */
function shard(values: Readonly<Record<string, number>>): Uint8Array {
  const tensors = Object.entries(values).map(
    ([name, value]) => [name, { shape: [1], data: Float32Array.of(value) }] as const,
  );
  return writeTensors(new Map(tensors));
}

/** Writes an index with shards beside it and gives its path. */
function write(
  map: unknown,
  shards: Readonly<Record<string, Uint8Array>>,
  name = 'model.safetensors.index.json',
): string {
  const text =
    typeof map === 'string' ? map : JSON.stringify({ metadata: { total_size: 8 }, weight_map: map }, null, 2);
  writeFileSync(at(name), text);
  for (const [file, bytes] of Object.entries(shards)) writeFileSync(at(file), bytes);
  return at(name);
}

const TWO = { '1.safetensors': shard({ 'm.a': 1, 'm.b': 2 }), '2.safetensors': shard({ 'n.c': 3 }) };
const MAP = { 'm.a': '1.safetensors', 'n.c': '2.safetensors', 'm.b': '1.safetensors' };

describe('an index of shards', () => {
  test('holds the tensors of all', () => {
    const weights = openWeights(write(MAP, TWO));
    expect(weights.tensors?.map(({ name }) => name).toSorted()).toEqual(['m.a', 'm.b', 'n.c']);
    expect(['m.a', 'm.b', 'n.c'].map((name) => weights.read(name, [1])[0])).toEqual([1, 2, 3]);
    weights.close();
    expect(faultOf('weights', () => weights.read('m.a', [1]))).toContain('after it was closed');
  });

  test('takes a prefix', () => {
    const weights = openWeights(`${write(MAP, TWO)}#m.`);
    expect(weights.tensors?.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(weights.read('b', [1])[0]).toBe(2);
  });

  test('of torch.save: pytorch_model.bin.index.json', () => {
    const w = tensor({ count: 1, shape: [1], stride: [1] });
    const bytes = torchArchive(dict({ w }), { 0: floats(7) });
    const weights = openWeights(write({ w: 'a.bin' }, { 'a.bin': bytes }, 'pytorch_model.bin.index.json'));
    expect(weights.read('w', [1])[0]).toBe(7);
  });

  test('tensors that the index does not name are there all the same', () => {
    const { 'm.b': _, ...less } = MAP;
    expect(openWeights(write(less, TWO)).tensors?.length).toBe(3);
  });

  test.each<[string, unknown, Readonly<Record<string, Uint8Array>>, string]>([
    [
      'a shard that is missing',
      { a: 'gone.safetensors' },
      {},
      'gone.safetensors: there is no such file or folder',
    ],
    [
      'a tensor that is not in its shard',
      { ...MAP, d: '1.safetensors' },
      TWO,
      'tensor "d" is not in shard "1.safetensors", as the index says',
    ],
    [
      'a tensor in another shard than the index says',
      { ...MAP, 'n.c': '1.safetensors', 'm.b': '2.safetensors' },
      TWO,
      'is not in shard',
    ],
    [
      'a tensor in two shards',
      MAP,
      { ...TWO, '2.safetensors': shard({ 'n.c': 3, 'm.a': 1 }) },
      'tensor "m.a" is in two shards, "1.safetensors" and "2.safetensors"',
    ],
    [
      'a path out of the folder',
      { a: '../1.safetensors' },
      {},
      'shard "../1.safetensors" leads out of the folder',
    ],
    ['a path out by a detour', { a: 'x/../../1.safetensors' }, {}, 'leads out of the folder'],
    ['a path of Windows', { a: '..\\1.safetensors' }, {}, 'leads out of the folder'],
    ['a path from the root', { a: '/etc/passwd' }, {}, 'shard "/etc/passwd" leads out of the folder'],
    ['a drive', { a: 'c:1.safetensors' }, {}, 'leads out of the folder'],
    ['a device', { a: 'null' }, {}, 'no such file'],
    [
      'the index itself',
      { a: 'model.safetensors.index.json' },
      {},
      'shards that it may name cannot be opened from here',
    ],
    ['a shard that is damaged', { a: 'x' }, { x: new Uint8Array(3) }, 'shard x: '],
    ['no name', { a: '' }, {}, 'it names no shard for "a"'],
    ['a number', { a: 3 }, {}, 'it names no shard for "a"'],
    ['no tensor', {}, {}, 'it names no tensor'],
    ['no map', '{"a": [3]}', {}, 'expected an index of shards'],
    ['a map of another kind', '{"weight_map": [3]}', {}, 'expected an index of shards'],
    ['a key twice', '{"weight_map": {"a": "x", "a": "y"}}', {}, 'the key "a" stands in it twice'],
    ['text that breaks off', '{"weight_map": {"a"', {}, 'this is JSON text that breaks off'],
  ])('%s', (_, map, shards, message) => {
    const file = write(map, shards);
    const found = faultOf('weights', () => openWeights(file));
    expect(found).toContain(message);
    expect(found.startsWith(file)).toBe(true);
  });
});
