import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesInMemory } from '../../../../runtime/bytes.ts';
import { unpickle } from '../../../../runtime/weights/torch/pickle.ts';
import { faultOf, onlyFaults } from '../../../fixtures/faults.ts';
import { dict, latin1, tensor, uint32, unicode } from '../../../fixtures/torch-archive.ts';

const ORIGIN = { kind: 'weights', label: 'w.pt' } as const;

function read(opcodes: string) {
  return unpickle(bytesInMemory(latin1(opcodes), ORIGIN), ORIGIN).value;
}

const ONE = tensor({ count: 4, shape: [2, 2], stride: [2, 1] });
const eight = (value: number) => `${uint32(value)}\0\0\0\0`;

describe('values', () => {
  test.each<[string, string, unknown]>([
    ['None', 'N.', null],
    ['booleans', '\x88\x89\x86.', { kind: 'tuple', items: [true, false] }],
    ['small integers', 'K\xffM\xff\xff\x86.', { kind: 'tuple', items: [255, 65535] }],
    ['a negative integer', 'J\xfe\xff\xff\xff.', -2],
    ['an integer in digits', 'I-12\n.', -12],
    [
      'long integers',
      '\x8a\x00\x8a\x01\xff\x8b\x02\0\0\0\0\x01\x87.',
      { kind: 'tuple', items: [0, -1, 256] },
    ],
    ['an integer past 2^53', '\x8a\x09\0\0\0\0\0\0\0\0\x01.', 2n ** 64n],
    ['a float', 'G\x3f\xb9\x99\x99\x99\x99\x99\x9a.', 0.1],
    [
      'text',
      `X${uint32(3)}\xe2\x82\xac\x8c\x01a\x8d${eight(1)}b\x87.`,
      { kind: 'tuple', items: ['€', 'a', 'b'] },
    ],
    ['old text', `T${uint32(1)}aU\x01b\x86.`, { kind: 'tuple', items: ['a', 'b'] }],
    ['a list', ']K\x01a(K\x02K\x03e.', { kind: 'list', items: [1, 2, 3] }],
    ['a list of what is marked', '(K\x01l.', { kind: 'list', items: [1] }],
    [
      'sets',
      '\x8f(K\x01\x90(K\x02\x91\x86.',
      {
        kind: 'tuple',
        items: [
          { kind: 'set', items: [1] },
          { kind: 'set', items: [2] },
        ],
      },
    ],
    [
      'a dict',
      '}K\x01K\x02s(K\x03K\x04u.',
      {
        kind: 'dict',
        entries: new Map([
          [1, 2],
          [3, 4],
        ]),
      },
    ],
    ['a dict of what is marked', '(K\x01K\x02d.', { kind: 'dict', entries: new Map([[1, 2]]) }],
    [
      'the memo',
      '](K\x05q\x01K\x06r\x02\0\0\0h\x01j\x02\0\0\0K\x07\x94h\x02e.',
      { kind: 'list', items: [5, 6, 5, 6, 7, 7] },
    ],
    ['popping', 'K\x01K\x020(K\x03K\x041(02\x86.', { kind: 'tuple', items: [1, 1] }],
    [
      'an ordered dict with attributes',
      `ccollections\nOrderedDict\n)R}${unicode('_metadata')}Nsb.`,
      { kind: 'dict', entries: new Map() },
    ],
    [
      'an ordered dict of Python 2',
      'ccollections\nOrderedDict\n](](K\x01K\x02ee\x85R.',
      { kind: 'dict', entries: new Map([[1, 2]]) },
    ],
    [
      'a dict with a default',
      'ccollections\ndefaultdict\nc__builtin__\nlist\n\x85RK\x01K\x02s.',
      { kind: 'dict', entries: new Map([[1, 2]]) },
    ],
    ['old text that is bytes', `U\x02\xff\x00.`, { kind: 'bytes', value: Uint8Array.of(255, 0) }],
    [
      'bytes as protocol 2 writes them',
      `c_codecs\nencode\nX\x03\0\0\0\xc3\xbfa${unicode('latin1')}\x86R.`,
      { kind: 'bytes', value: Uint8Array.of(255, 97) },
    ],
    ['a counter', 'ccollections\nCounter\n}K\x01K\x02s\x85R.', { kind: 'dict', entries: new Map([[1, 2]]) }],
    ['a size', 'ctorch\nSize\nK\x02K\x03\x86\x85R.', { kind: 'tuple', items: [2, 3] }],
    ['a device', `ctorch\ndevice\n${unicode('cpu')}\x85R.`, { kind: 'opaque', name: 'torch.device' }],
  ])('%s', (_, opcodes, expected) => {
    expect(read(opcodes)).toEqual(expected);
  });

  test('tensors and parameters', () => {
    const expected = {
      kind: 'tensor',
      storage: { kind: 'storage', dtype: 'F32', key: '0', count: 4 },
      dtype: 'F32',
      offset: 0,
      shape: [2, 2],
      stride: [2, 1],
    };
    expect(read(`${ONE}.`)).toEqual(expected);
    expect(read(`ctorch._utils\n_rebuild_parameter\n(${ONE}\x88}tR.`)).toEqual(expected);
    const inner = `ctorch._utils\n_rebuild_parameter\nctorch.nn.parameter\nParameter\n(${ONE}\x88}t`;
    expect(read(`ctorch._tensor\n_rebuild_from_type_v2\n(${inner}}tR.`)).toEqual(expected);
    // Version 3 keeps the element type beside an untyped storage, counted in bytes.
    const id = `(${unicode('storage')}ctorch.storage\nUntypedStorage\n${unicode('k')}${unicode('cpu')}K\x08tQ`;
    const v3 = `ctorch._utils\n_rebuild_tensor_v3\n(${id}K\x00K\x02\x85K\x01\x85\x89}ctorch\nfloat32\ntR.`;
    expect(read(v3)).toMatchObject({
      dtype: 'F32',
      storage: { dtype: null, key: 'k', count: 8 },
      shape: [2],
    });
  });

  test('a list may hold itself, and a value be shared over and over, without harm', () => {
    const self = read(']q\x00h\x00a.');
    expect(self).toMatchObject({ kind: 'list', items: [{ kind: 'list' }] });
    expect(read(`K\x01${'q\x00h\x00\x86'.repeat(1000)}.`)).toMatchObject({ kind: 'tuple' });
  });
});

describe('nothing is called: what makes no tensor is a placeholder, and its name is kept', () => {
  test.each<[string, string, string]>([
    ['os.system', `cos\nsystem\n${unicode('id')}\x85R.`, 'os.system'],
    ['posix.system by the stack', `\x80\x04\x8c\x05posix\x8c\x06system\x93)R.`, 'posix.system'],
    ['eval', `c__builtin__\neval\n${unicode('1')}\x85R.`, '__builtin__.eval'],
    ['what eval gave, called', `c__builtin__\neval\n${unicode('1')}\x85R)R.`, '__builtin__.eval'],
    ['getattr', 'cbuiltins\ngetattr\n)R.', 'builtins.getattr'],
    ['subprocess', 'csubprocess\nPopen\n)\x81.', 'subprocess.Popen'],
    ['by names', 'csubprocess\nPopen\n)}\x92.', 'subprocess.Popen'],
    ['torch.load', 'ctorch\nload\n)R.', 'torch.load'],
    [
      'a dotted way around',
      'ctorch\n_utils._rebuild_tensor_v2.__globals__\n)R.',
      'torch._utils._rebuild_tensor_v2.__globals__',
    ],
    ['an inherited name', 'c\nconstructor\n)R.', '.constructor'],
    ['an instance of Python 2', '(cos\nsystem\nNo.', 'os.system'],
    ['argparse, with attributes', 'cargparse\nNamespace\n)\x81}K\x01K\x02sb.', 'argparse.Namespace'],
    ['a dict of a class, with items', 'ceasydict\nEasyDict\n)\x81(K\x01K\x02u.', 'easydict.EasyDict'],
    ['a list of a class, with items', 'cmy\nList\n)\x81(K\x01K\x02e.', 'my.List'],
    ['a name with escapes', 'c\x1b[2J\nx\n)R.', '\x1b[2J.x'],
    [
      'a tensor on a storage of no known type',
      `${tensor({ type: 'NewStorage', count: 1, shape: [1], stride: [1] })}.`,
      'torch.NewStorage',
    ],
  ])('%s', (_, opcodes, name) => {
    const found = unpickle(bytesInMemory(latin1(opcodes), ORIGIN), ORIGIN);
    expect(found.value).toEqual({ kind: 'opaque', name });
    expect([...found.placeholders]).toEqual([name]);
  });

  test.each<[string, string, string]>([
    ['a type', 'ctorch\nFloatStorage\n)R.', 'torch.FloatStorage'],
    ['an element type', 'ctorch\nfloat32\n)R.', 'torch.float32'],
    ['a number of NumPy', 'cnumpy.core.multiarray\nscalar\n)R.', 'numpy.core.multiarray.scalar'],
    [
      'a complex tensor',
      `${tensor({ type: 'ComplexFloatStorage', count: 1, shape: [1], stride: [1] })}.`,
      'torch.ComplexFloatStorage',
    ],
  ])('%s is one of those that everybody has, and goes unnamed', (_, opcodes, name) => {
    const found = unpickle(bytesInMemory(latin1(opcodes), ORIGIN), ORIGIN);
    expect(found.value).toEqual({ kind: 'opaque', name });
    expect([...found.placeholders]).toEqual([]);
  });
});

describe('a call that should make a tensor, and what is not in its place', () => {
  test.each<[string, string, string]>([
    ['a number', 'K\x01)R.', 'calls something that is no name'],
    [
      'a dict of a tuple',
      'ccollections\nOrderedDict\n)\x85R.',
      'calls collections.OrderedDict with something that is no dict',
    ],
    ['a dict of numbers', 'ccollections\nOrderedDict\n](K\x01e\x85R.', 'something else than pairs'],
    ['no tuple of arguments', 'ccollections\nOrderedDict\n]R.', 'calls a name without a tuple of arguments'],
    ['a tensor of nothing', 'ctorch._utils\n_rebuild_tensor_v2\n)R.', 'with arguments that make no tensor'],
    [
      'a tensor of a number',
      'ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x01))\x89}tR.',
      'with arguments that make no tensor',
    ],
    [
      'a negative shape',
      `${ONE.replace('J\x02\0\0\0', 'J\xff\xff\xff\xff')}.`,
      'with arguments that make no tensor',
    ],
    [
      'too few strides',
      `${tensor({ count: 4, shape: [2, 2], stride: [1] })}.`,
      'with arguments that make no tensor',
    ],
    [
      'too many dimensions',
      `${tensor({ count: 1, shape: Array(33).fill(1), stride: Array(33).fill(1) })}.`,
      'with arguments that make no tensor',
    ],
    ['a parameter of nothing', 'ctorch._utils\n_rebuild_parameter\n(NNNtR.', 'without a tensor'],
    ['a rebuild of a rebuild', 'ctorch._tensor\n_rebuild_from_type_v2\n2N)\x87R.', 'makes no tensor'],
    ['a persistent id of text', `${unicode('storage')}Q.`, 'a persistent id that is no tensor storage'],
    [
      'a storage of no type',
      `(${unicode('storage')}N${unicode('0')}NK\x01tQ.`,
      'a persistent id that is no tensor storage',
    ],
    [
      'a storage of a negative size',
      `(${unicode('storage')}ctorch\nFloatStorage\n${unicode('0')}NJ\xff\xff\xff\xfftQ.`,
      'persistent id',
    ],
    ['attributes of a tuple', ')}b.', 'sets attributes of something that has none'],
    ['an instance', '(ios\nsystem\n.', 'has opcode 0x69, which no state dict uses'],
    ['an object of nothing', '(o.', 'takes more from its stack than is there'],
    ['an extension', '\x82\x01.', 'has opcode 0x82'],
    ['a persistent id in text', 'P0\n.', 'has opcode 0x50'],
  ])('%s', (_, opcodes, message) => {
    expect(faultOf('weights', () => read(opcodes))).toContain(message);
  });
});

describe('streams that are off are told with their byte', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'at byte 0, breaks off: 1 bytes are wanted, 0 are left'],
    ['no stop', 'N', 'at byte 1, breaks off'],
    ['an empty stack', '.', 'takes more from its stack than is there'],
    ['values left over', 'NN.', 'stops with values left on its stack'],
    ['an open mark', '(N.', 'stops with values left on its stack'],
    ['a mark never set', 't.', 'closes a mark that was never set'],
    ['a pop of nothing', '0.', 'closes a mark that was never set'],
    ['a tuple of too little', 'N\x86.', 'takes more from its stack'],
    ['a key without a value', '}(K\x01u.', 'sets a key without a value'],
    ['a key twice', `}(${unicode('a')}N${unicode('a')}Nu.`, 'sets the key "a" twice'],
    ['items of a list', '](K\x01K\x02u.', 'sets items of something that is no dict'],
    ['items for a dict', '}K\x01a.', 'adds items to something that is no list'],
    ['an unknown memo', 'h\x07.', 'recalls value 7, which it never kept'],
    ['a memo of nothing', 'q\x00.', 'takes more from its stack'],
    ['protocol 0', '\x80\x00N.', 'is of protocol 0; 2 to 5 are read'],
    ['protocol 9', '\x80\x09N.', 'is of protocol 9; 2 to 5 are read'],
    ['a frame past the end', `\x95${eight(100)}N.`, 'a frame that runs past its end'],
    ['text of 4 GB', `X${uint32(0xffffffff)}.`, 'breaks off: 4294967295 bytes are wanted, 1 are left'],
    ['text of 2^63', '\x8d\0\0\0\0\0\0\0\x80.', 'breaks off'],
    ['bytes of 2^40', '\x8e\0\0\0\0\0\x01\0\0.', 'breaks off'],
    ['a huge integer', `\x8b${uint32(100000)}.`, 'has an integer of 100000 bytes'],
    ['a negative length', '\x8b\xff\xff\xff\xff.', 'has an integer of 4294967295 bytes'],
    ['text that is no UTF-8', 'X\x01\0\0\0\xff.', 'has text that is not valid UTF-8'],
    ['no line end', 'cos', 'breaks off'],
    ['no digits', 'Ix\n.', 'has "x" for an integer'],
    ['deep nesting', `${'('.repeat(300)}.`, 'is nested more than 256 deep'],
    ['names that are no text', '\x80\x04K\x01K\x02\x93.', 'names a global by something else than text'],
    ['an unknown opcode', '\xff.', 'has opcode 0xff'],
  ])('%s', (_, opcodes, message) => {
    expect(faultOf('weights', () => read(opcodes))).toContain(message);
  });

  test('any sequence of opcodes ends in a value or a fault', () => {
    const opcode = fc.constantFrom(
      ...[
        ...'()]}.012NQRabdelstu',
        '\x81',
        '\x85',
        '\x86',
        '\x87',
        '\x88',
        '\x8f',
        '\x90',
        '\x91',
        '\x93',
        '\x94',
        '\x80\x02',
      ],
      ...[
        'h\0',
        'h\x01',
        'q\0',
        'q\x01',
        'K\x01',
        ONE,
        dict({ w: ONE }),
        unicode('storage'),
        unicode('torch'),
      ],
      ...[
        'ccollections\nOrderedDict\n',
        'ctorch\nFloatStorage\n',
        'ctorch._utils\n_rebuild_tensor_v2\n',
        'ctorch\nSize\n',
      ],
      ...[
        'ctorch._tensor\n_rebuild_from_type_v2\n',
        'ctorch._utils\n_rebuild_parameter\n',
        '_rebuild_tensor_v2',
      ],
    );
    fc.assert(
      fc.property(fc.array(opcode, { maxLength: 40 }), (opcodes) => {
        onlyFaults('weights', () => read(`${opcodes.join('')}.`));
      }),
      { numRuns: 3000 },
    );
  });

  test('any bytes end in a value or a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) =>
        onlyFaults('weights', () => unpickle(bytesInMemory(bytes, ORIGIN), ORIGIN)),
      ),
      { numRuns: 2000 },
    );
  });

  test('calls on a large value, over and over, cost no more than their bytes', () => {
    const items = Array.from({ length: 20_000 }, (_, i) => `J${uint32(i)}N`);
    const calls = 'h\x00h\x01R0'.repeat(100_000);
    const value = read(`ccollections\nOrderedDict\nq\x000}(${items.join('')}u\x85q\x010${calls}h\x01.`);
    expect(value).toMatchObject({ kind: 'tuple' });
  });
});
