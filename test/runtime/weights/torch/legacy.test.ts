import { describe, expect, test } from 'vitest';
import { bytesInMemory } from '../../../../runtime/bytes.ts';
import { openCheckpoint, wholeFile } from '../../../../runtime/weights/checkpoint.ts';
import { faultOf, onlyFaults } from '../../../fixtures/faults.ts';
import { dict, floats, legacyFile, tensor, unicode } from '../../../fixtures/torch-archive.ts';

function open(bytes: Uint8Array) {
  return openCheckpoint(bytesInMemory(bytes, { kind: 'weights', label: 'w.pt' }), wholeFile('w.pt'));
}

const a = tensor({ key: '11', count: 4, shape: [2, 2], stride: [1, 2] });
const b = tensor({ key: '7', count: 2, offset: 1, shape: [1], stride: [1] });
const STORAGES = { 11: floats(1, 2, 3, 4), 7: floats(5, 6) };

describe('what torch.save wrote before PyTorch 1.6', () => {
  test('storages lie behind the pickles, in the order of the list of keys', () => {
    const weights = open(legacyFile(dict({ a, b }), STORAGES));
    expect(weights.tensors).toEqual([
      { name: 'a', shape: [2, 2] },
      { name: 'b', shape: [1] },
    ]);
    expect([...weights.read('a', [2, 2])]).toEqual([1, 3, 2, 4]);
    expect([...weights.read('b', [1])]).toEqual([6]);
    weights.close();
  });

  test('a storage that is a part of another one', () => {
    // ('storage', type, key of the whole, device, count of the whole, (key, offset, count))
    const view = `(${unicode('99')}K\x01K\x02t`;
    const id = `(${unicode('storage')}ctorch\nFloatStorage\n${unicode('11')}${unicode('cpu')}K\x04${view}tQ`;
    const part = `ctorch._utils\n_rebuild_tensor_v2\n(${id}K\x01K\x01\x85K\x01\x85\x89}tR`;
    const weights = open(legacyFile(dict({ a, part }), { 11: STORAGES[11] }));
    expect([...weights.read('part', [1])]).toEqual([3]);
  });

  test('types that are not read are passed over', () => {
    const c = tensor({ type: 'ComplexFloatStorage', key: '3', count: 1, shape: [1], stride: [1] });
    const file = legacyFile(dict({ c, a }), { 3: new Uint8Array(4), 11: STORAGES[11] });
    // One complex element takes 8 bytes where the fixture wrote 4.
    const at = file.length - (8 + 16) - 4;
    const longer = new Uint8Array([...file.subarray(0, at), 0, 0, 0, 0, ...file.subarray(at)]);
    const weights = open(longer);
    expect([...weights.read('a', [2, 2])]).toEqual([1, 3, 2, 4]);
    expect(weights.notes).toEqual(['left out "c" (torch.ComplexFloatStorage), which are no tensors']);
  });

  test('a module, whose source stood beside it, is a placeholder', () => {
    const module = `(${unicode('module')}cmy\nUNet\n${unicode('a.py')}${unicode('source')}tQ)\x81`;
    const weights = open(legacyFile(dict({ state_dict: dict({ a }), model: module }), { 11: STORAGES[11] }));
    expect(weights.notes?.[0]).toBe('took the 1 tensors under "state_dict"; left out "model" (my.UNet)');
  });

  test.each<[string, Uint8Array, string]>([
    [
      'another protocol',
      legacyFile(dict({ a }), STORAGES, { protocol: 'M\xea\x03' }),
      'of no protocol that is known',
    ],
    ['no list of keys', legacyFile(dict({ a }), STORAGES, { keys: 'N' }), 'it has no list of storages'],
    [
      'a key that no tensor speaks of',
      legacyFile(dict({ a }), STORAGES),
      'its list of storages has "7", which no tensor speaks of',
    ],
    [
      'a key twice',
      legacyFile(dict({ a, b }), STORAGES, { keys: `](${unicode('11')}${unicode('11')}e` }),
      'its list of storages has "11"',
    ],
    [
      'a storage that is not there',
      legacyFile(dict({ a, b }), { 11: STORAGES[11] }),
      'tensor "b": its storage data/7 is not in the archive',
    ],
    [
      'bytes behind the last storage',
      legacyFile(dict({ a, b }), STORAGES, { after: 'junk' }),
      'it has 4 bytes after its last storage',
    ],
    ['a storage too short', legacyFile(dict({ a }), { 11: floats(1) }), 'data/11 has 4 bytes instead of 16'],
  ])('%s', (_, bytes, message) => {
    expect(faultOf('weights', () => open(bytes))).toContain(message);
  });

  test('cut anywhere, it is refused; with any byte changed, it is read or refused', () => {
    const whole = legacyFile(dict({ a, b }), STORAGES);
    for (let length = 0; length < whole.length; length++) {
      faultOf('weights', () => open(whole.subarray(0, length)));
    }
    for (let at = 0; at < whole.length; at++) {
      const bytes = Uint8Array.from(whole);
      bytes[at]! ^= 0xff;
      onlyFaults('weights', () => {
        const weights = open(bytes);
        for (const { name, shape } of weights.tensors ?? []) weights.read(name, shape);
      });
    }
  });
});
