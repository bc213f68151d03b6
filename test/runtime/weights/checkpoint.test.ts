import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesInMemory } from '../../../runtime/bytes.ts';
import { openWeights } from '../../../runtime/host/node/open-weights.ts';
import { openCheckpoint, wholeFile } from '../../../runtime/weights/checkpoint.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { faultOf } from '../../fixtures/faults.ts';
import { dict, floats, latin1, tensor, torchArchive } from '../../fixtures/torch-archive.ts';

const SAFETENSORS = writeTensors(new Map([['w', { shape: [1], data: Float32Array.of(3) }]]));
const ARCHIVE = torchArchive(dict({ w: tensor({ count: 1, shape: [1], stride: [1] }) }), { 0: floats(3) });

function open(bytes: Uint8Array) {
  return openCheckpoint(bytesInMemory(bytes, { kind: 'weights', label: 'w' }), wholeFile('w'));
}

describe('content decides, not the name', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'unetc-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ['right.safetensors', SAFETENSORS],
    ['wrong.pt', SAFETENSORS],
    ['right.pt', ARCHIVE],
    ['right.pth', ARCHIVE],
    ['wrong.safetensors', ARCHIVE],
    ['none', ARCHIVE],
  ])('%s', (name, bytes) => {
    const file = path.join(folder, name);
    writeFileSync(file, bytes);
    const weights = openWeights(file);
    expect(weights.label).toBe(file);
    expect(weights.tensors).toEqual([{ name: 'w', shape: [1] }]);
    expect([...weights.read('w', [1])]).toEqual([3]);
    weights.close();
    expect(faultOf('weights', () => weights.read('w', [1]))).toBe(`${file}: it was read after it was closed`);
  });

  test('paths that are no files', () => {
    const missing = path.join(folder, 'missing.pt');
    expect(faultOf('weights', () => openWeights(missing))).toBe(
      `${missing}: there is no such file or folder; check the path`,
    );
    expect(faultOf('weights', () => openWeights(folder))).toBe(`${folder}: this is a folder; name a file`);
    expect(faultOf('weights', () => openWeights(path.join(folder, 'none', 'x')))).toContain(
      'a part of the path is a file where a folder is needed',
    );
  });

  test('hash:SEED is no file', () => {
    expect(openWeights('hash:1').tensors).toBeNull();
  });
});

test.each([0x280, 0x480])(
  'a header of %d bytes, whose length begins as a pickle does, is no pickle',
  (length) => {
    const head = Buffer.alloc(length, ' ');
    head.write('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(length));
    const weights = open(Buffer.concat([size, head, Buffer.from(Float32Array.of(3).buffer)]));
    expect([...weights.read('w', [1])]).toEqual([3]);
  },
);

describe('files that are taken for weights', () => {
  const tar = latin1(`${'\0'.repeat(257)}ustar${'\0'.repeat(250)}`);
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'the file is empty'],
    [
      'a Git LFS pointer',
      latin1('version https://git-lfs.github.com/spec/v1\noid sha256:00'),
      'git lfs pull',
    ],
    ['a web page', latin1('<!DOCTYPE html><html>'), 'this is a web page'],
    ['a short file', latin1('<a>'), 'this is a web page'],
    ['JSON', latin1('{"weight_map": {"a": "b.safetensors"}}'), 'this is JSON text'],
    [
      'the old format of torch.save, cut short',
      latin1('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.'),
      'the pickle, at byte 15, breaks off',
    ],
    ['a pickle of nothing', latin1('\x80\x04}.'), 'there is no dict of tensors'],
    ['a tar archive', tar, 'this is a tar archive'],
    ['gzip', latin1('\x1f\x8b\x08'), 'gunzip'],
    ['zstd', latin1('\x28\xb5\x2f\xfd'), 'unzstd'],
    ['HDF5', latin1('\x89HDF\r\n'), 'HDF5'],
    ['NumPy', latin1('\x93NUMPY'), 'NumPy array'],
    ['GGUF', latin1('GGUF\x03'), 'GGUF'],
    ['a NumPy archive', zipSync({ 'a.npy': new Uint8Array(1) }), 'this is a NumPy archive'],
    ['a zip archive', zipSync({ 'a.txt': new Uint8Array(1) }), 'not one of torch.save'],
    ['an empty zip archive', zipSync({}), 'not one of torch.save'],
    ['anything else', latin1('hello, world'), 'neither a safetensors file nor an archive of torch.save'],
  ])('%s', (_, bytes, message) => {
    expect(faultOf('weights', () => open(bytes))).toContain(message);
  });

  test('the file is closed when it is refused', () => {
    let closed = 0;
    const source = bytesInMemory(latin1('hello'), { kind: 'weights', label: 'w' });
    faultOf('weights', () => openCheckpoint({ ...source, close: () => closed++ }, wholeFile('w')));
    expect(closed).toBe(1);
  });
});
