import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesInMemory } from '../../../../runtime/bytes.ts';
import { openWeights } from '../../../../runtime/host/node/open-weights.ts';
import { openCheckpoint, wholeFile } from '../../../../runtime/weights/checkpoint.ts';
import { faultOf, onlyFaults } from '../../../fixtures/faults.ts';
import { dict, latin1, torchArchive, uint32, unicode } from '../../../fixtures/torch-archive.ts';

const CHECKPOINTS = 'test/fixtures/checkpoints';

function open(bytes: Uint8Array) {
  return openCheckpoint(bytesInMemory(bytes, { kind: 'weights', label: 'w' }), wholeFile('w'));
}

const EXPECTED: Readonly<Record<string, readonly number[]>> = {
  matrix: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  transposed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  big: [0, 1, 2],
  half: [0.5, -1, 65504],
  scalar: [7],
  empty: [],
  zeros: [0, 0, 0, 0],
};

describe('arrays pickled by NumPy (fixtures/checkpoints/make_numpy.py)', () => {
  test.each(['numpy-2.pkl', 'numpy-3.pkl', 'numpy-4.pkl', 'numpy-5.pkl', 'numpy-long.pt'])('%s', (file) => {
    const weights = openWeights(`${CHECKPOINTS}/${file}`);
    const shapes = new Map(weights.tensors?.map(({ name, shape }) => [name, shape]));
    const long = file === 'numpy-long.pt';
    expect([...shapes.keys()]).toEqual([...Object.keys(EXPECTED), 'steps', ...(long ? ['long'] : [])]);
    expect(shapes.get('transposed')).toEqual([3, 4]);
    for (const [name, values] of Object.entries(EXPECTED)) {
      expect([...weights.read(name, shapes.get(name) ?? [])]).toEqual(values);
    }
    expect(faultOf('weights', () => weights.read('steps', [2]))).toContain('tensor "steps" is of type I64');
    const left = '"step" (numpy._core.multiarray.scalar), "objects"';
    expect(weights.notes).toEqual([
      long
        ? `took the 9 tensors under "model"; left out "rng"; left out of it ${left}, which are no tensors`
        : `left out ${left}, which are no tensors`,
    ]);
    weights.close();
  });

  test('an array that is too long for a name stays in the file until it is read', () => {
    const weights = openWeights(`${CHECKPOINTS}/numpy-long.pt`);
    const values = weights.read('long', [16500]);
    expect(values.every((value, i) => value === i % 251)).toBe(true);
    weights.close();
  });

  test('with any one byte changed, it is read or refused', () => {
    for (const name of ['numpy-2.pkl', 'numpy-5.pkl']) {
      const small = readFileSync(`${CHECKPOINTS}/${name}`);
      for (let at = 0; at < small.length; at++) {
        const bytes = Uint8Array.from(small);
        bytes[at]! ^= 0xff;
        onlyFaults('weights', () => {
          const weights = open(bytes);
          for (const tensor of weights.tensors ?? []) weights.read(tensor.name, tensor.shape);
        });
      }
    }
  });
});

/** An array of float32 as `_reconstruct` and BUILD make it. */
function array(shape: string, data: string, type = 'f4', order = '<'): string {
  const dtype = `cnumpy\ndtype\n${unicode(type)}\x89\x88\x87R(K\x03${unicode(order)}NNNtb`;
  return `cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01${shape}${dtype}\x89${data}tb`;
}

describe('arrays by hand', () => {
  test('bytes as Python 2 writes them: text that may be UTF-8 or not', () => {
    const one = array('K\x01\x85', 'U\x04\x00\x00\x80\x3f');
    const zero = array('K\x01\x85', 'U\x04\x00\x00\x00\x00');
    const weights = open(torchArchive(dict({ one, zero })));
    expect([...weights.read('one', [1]), ...weights.read('zero', [1])]).toEqual([1, 0]);
  });

  test('an array of objects, of text or of complex numbers is none that is read', () => {
    const state = { w: array('K\x01\x85', 'C\x04\0\0\0\0') };
    const others = { o: array('K\x01\x85', ']Na', 'O8'), c: array('K\x00\x85', 'C\0', 'c8') };
    const weights = open(torchArchive(dict({ ...state, ...others })));
    expect(weights.tensors).toEqual([{ name: 'w', shape: [1] }]);
    expect(weights.notes).toEqual(['left out "o", "c", which are no tensors']);
  });

  test.each<[string, string, string]>([
    ['too few bytes', array('K\x02\x85', 'C\x04\0\0\0\0'), 'has an array [2] of F32 in 4 bytes instead of 8'],
    [
      'too many',
      array('K\x01\x85', 'C\x08\0\0\0\0\0\0\0\0'),
      'has an array [1] of F32 in 8 bytes instead of 4',
    ],
    ['no bytes', array('K\x01\x85', 'N'), 'tells an array nothing that makes one'],
    ['no shape', array('N', 'C\x04\0\0\0\0'), 'tells an array nothing that makes one'],
    [
      'a shape past all counting',
      array('(J\xff\xff\xff\x7f22ttb'.slice(0, 6).concat('222222t'), 'C\0'),
      'nothing',
    ],
    ['no state', 'cnumpy.core.multiarray\n_reconstruct\n)RNb', 'tells an array nothing that makes one'],
  ])('%s', (_, w, message) => {
    expect(faultOf('weights', () => open(torchArchive(dict({ w }))))).toContain(message);
  });

  test('long bytes that are not those of the shape are told when they are read', () => {
    const text = `X${uint32(70000)}${'a'.repeat(70000)}`;
    const w = array(
      `M${String.fromCharCode((35000 / 4) & 255, (35000 / 4) >> 8)}\x85`,
      `c_codecs\nencode\n${text}${unicode('latin1')}\x86R`,
    );
    const weights = open(latin1(`\x80\x02${dict({ w })}.`));
    expect(faultOf('weights', () => weights.read('w', [8750]))).toContain(
      'tensor "w": its bytes are not those of its shape',
    );
  });
});
