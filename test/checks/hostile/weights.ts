// Weights of every format: archives and pickles that ask for much or lie about sizes, headers that do not fit, shards that
// lead elsewhere, keys that are not there, files that are something else.

import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import {
  dict,
  floats,
  latin1,
  legacyFile,
  tensor,
  torchArchive,
  uint32,
  unicode,
} from '../../fixtures/torch-archive.ts';
import { bad, type Content, type HostileCase } from './case.ts';
import { floatsOf, integersOf, MNIST, many, small, tensors } from './corpus.ts';

const view = { count: 4, shape: [4], stride: [1] };
const four = { 0: floats(1, 2, 3, 4) };
const pickle = (body: string, level: 0 | 6 = 0) => torchArchive(body, {}, {}, level);

/** A file that `convert` refuses with exit 4, early and with nothing written. */
function refused(file: string, content: () => Content, says: string | readonly string[] = []): HostileCase {
  const places = typeof says === 'string' ? [says] : says;
  return bad(`weights: ${file}`, ['convert', file, '-o', 'o.safetensors'], 4, [`${file}: `, ...places], {
    files: { [file]: content },
  });
}

const BOMBS: readonly HostileCase[] = [
  refused('dicts.pt', () => pickle(many('}', 3_900_000))),
  refused('lists.pt', () => pickle(many(']', 3_900_000))),
  refused('tuples.pt', () => pickle(many(')', 3_900_000))),
  refused('tuples-in-tuples.pt', () => pickle(`N${many('\x85', 3_900_000)}`)),
  refused('sets.pt', () => pickle(many('\x8f', 3_900_000))),
  refused('none.pt', () => pickle(many('N', 3_900_000))),
  refused('none-long.pt', () => pickle(many('N', 30_000_000))),
  refused('popped.pt', () => pickle(many('N0', 30_000_000))),
  refused('copies.pt', () => pickle(`N${many('2', 3_900_000)}`)),
  refused('memo.pt', () => pickle(`N${many('\x94', 3_900_000)}`)),
  refused('memo-far.pt', () => pickle('Nr\xff\xff\xff\xff')),
  refused('short-text.pt', () => pickle(many('\x8c\x00', 3_900_000))),
  refused('long-text.pt', () => pickle(many(`X${uint32(60000)}${'a'.repeat(60000)}`, 60_000_000))),
  refused('one-text.pt', () => pickle(`X${uint32(60_000_000)}${'a'.repeat(60_000_000)}`)),
  refused('names.pt', () => pickle(many('cos\nsystem\n', 3_900_000))),
  refused('items.pt', () => pickle(`](${many('N', 3_900_000)}e`)),
  refused('nested.pt', () => pickle(`}${many(`${unicode('a')}}`, 3_900_000)}`)),
  refused('packed.pt', () => pickle(many('}', 60_000_000), 6)),
  refused('bare.pkl', () => latin1(`\x80\x04${many('}', 3_900_000)}.`)),
  refused('legacy-bomb.pt', () => legacyFile(many('}', 3_900_000))),
  refused('frame.pt', () => pickle('\x95\xff\xff\xff\xff\xff\xff\xff\x7fN')),
  refused('long-integer.pt', () => pickle(`\x8b${uint32(50_000_000)}${'\x7f'.repeat(50_000_000)}`)),
  refused(
    'views.pt',
    () => {
      const count = 2 ** 27;
      const names = Array.from({ length: 20 }, (_, i) => [`w${i}`, tensor({ ...view, count })] as const);
      return torchArchive(dict(Object.fromEntries(names)), { 0: new Uint8Array(4 * count) }, {}, 6);
    },
    'is packed and has 536870912 bytes',
  ),
];

const LIES: readonly HostileCase[] = [
  refused(
    'stride-0.pt',
    () => torchArchive(dict({ a: tensor({ count: 4, shape: [0x10000000], stride: [0] }) }), four),
    '1073741824 bytes',
  ),
  refused('beyond-storage.pt', () => torchArchive(dict({ a: tensor({ ...view, offset: 3 }) }), four), '"a"'),
  refused(
    'stride-beyond.pt',
    () => torchArchive(dict({ a: tensor({ count: 4, shape: [2, 2], stride: [4, 1] }) }), four),
    '"a"',
  ),
  refused(
    'count-beyond.pt',
    () => torchArchive(dict({ a: tensor({ count: 400, shape: [400], stride: [1] }) }), four),
    '1600',
  ),
  refused('no-storage.pt', () => torchArchive(dict({ a: tensor(view) })), 'data/0'),
  refused(
    'odd-type.pt',
    () => torchArchive(dict({ a: tensor({ ...view, type: 'QInt8Storage' }) }), four),
    'QInt8Storage',
  ),
  refused('metadata.pt', () => torchArchive(dict({ __metadata__: tensor(view) }), four), '__metadata__'),
  refused(
    'after.pt',
    () => {
      const entries = {
        'a/data.pkl': latin1(`\x80\x02${dict({ a: tensor(view) })}.junk`),
        'a/data/0': four[0],
      };
      return zipSync(entries, { level: 0 });
    },
    'ends 4 bytes before its file does',
  ),
  refused(
    'middle-endian.pt',
    () => torchArchive(dict({ a: tensor(view) }), four, { 'a/byteorder': latin1('middle') }),
    'middle',
  ),
  refused('empty-dict.pt', () => pickle('}'), 'no '),
  refused('a-number.pt', () => pickle('K\x01')),
  refused('no-stop.pt', () => zipSync({ 'a/data.pkl': latin1('\x80\x02}') }, { level: 0 })),
  refused('protocol-200.pt', () => zipSync({ 'a/data.pkl': latin1('\x80\xc8}.') }, { level: 0 }), '200'),
  refused('opcode.pt', () => pickle('\xfe')),
  refused('harmful.pt', () => pickle(`cos\nsystem\n(${unicode('touch victim.txt')}tR`), 'os.system'),
  refused('harmful-builtin.pt', () => pickle(`c__builtin__\neval\n(${unicode('1')}tR`), 'eval'),
  refused('no-pickle.zip', () => zipSync({ 'a/readme.txt': latin1('text') }), 'data.pkl'),
  refused('two-pickles.pt', () => torchArchive('}', {}, { 'b/data.pkl': latin1('\x80\x02}.') }), 'data.pkl'),
  refused('empty.zip', () => latin1(`PK\x05\x06${'\0'.repeat(18)}`)),
  refused('cut.pt', () => torchArchive(dict({ a: tensor(view) }), four).subarray(0, 200)),
  refused('directory-gone.pt', () => torchArchive(dict({ a: tensor(view) }), four).subarray(0, -30)),
  refused('checksum.pt', () => changed(torchArchive(dict({ a: tensor(view) }), four), 40, 0xff)),
  refused(
    'legacy-keys.pt',
    () => legacyFile(dict({ a: tensor(view) }), four, { keys: `](${unicode('9')}e` }),
    '"',
  ),
  refused('legacy-after.pt', () => legacyFile(dict({ a: tensor(view) }), four, { after: 'more' }), '4'),
  refused('legacy-protocol.pt', () => legacyFile(dict({ a: tensor(view) }), four, { protocol: 'M\x01\x00' })),
];

function changed(file: Uint8Array, at: number, mask: number): Uint8Array {
  return file.map((byte, i) => (i === at ? byte ^ mask : byte));
}

/** A safetensors file with this header before these bytes. */
function safetensors(header: unknown, data = new Uint8Array(16), length?: bigint): Uint8Array {
  const text = latin1(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

const entry = (changes: object = {}) => ({ dtype: 'F32', shape: [4], data_offsets: [0, 16], ...changes });

const SAFETENSORS: readonly HostileCase[] = [
  refused('short.safetensors', () => latin1('{}{}'), []),
  refused('length.safetensors', () => safetensors({ a: entry() }, new Uint8Array(16), 2n ** 63n), 'header'),
  refused('length-2.safetensors', () => safetensors({ a: entry() }, new Uint8Array(16), 65_536n), 'header'),
  refused('json.safetensors', () => safetensors('{"a":'), 'JSON'),
  refused(
    'twice.safetensors',
    () => safetensors(`{"a":${JSON.stringify(entry())},"a":${JSON.stringify(entry())}}`),
    '"a"',
  ),
  refused('dtype.safetensors', () => safetensors({ a: entry({ dtype: 'F8_E5M2' }) }), 'F8_E5M2'),
  refused('dtype-list.safetensors', () => safetensors({ a: entry({ dtype: [] }) }), '"a"'),
  refused('shape.safetensors', () => safetensors({ a: entry({ shape: [5] }) }), '[5]'),
  refused('shape-negative.safetensors', () => safetensors({ a: entry({ shape: [-4] }) }), '/shape'),
  refused('shape-large.safetensors', () => safetensors({ a: entry({ shape: [2 ** 40, 2 ** 40] }) }), '"a"'),
  refused(
    'shape-deep.safetensors',
    () => safetensors({ a: entry({ shape: Array.from({ length: 100 }, () => 1) }) }),
    '/shape',
  ),
  refused('backwards.safetensors', () => safetensors({ a: entry({ data_offsets: [16, 0] }) }), '[16, 0]'),
  refused(
    'beyond.safetensors',
    () => safetensors({ a: entry({ shape: [8], data_offsets: [0, 32] }) }),
    'end at',
  ),
  refused(
    'overlap.safetensors',
    () => safetensors({ a: entry(), b: entry({ data_offsets: [8, 24] }) }, new Uint8Array(24)),
    '"b"',
  ),
  refused(
    'hole.safetensors',
    () => safetensors({ a: entry({ data_offsets: [8, 24] }) }, new Uint8Array(24)),
    'hole',
  ),
  refused('after.safetensors', () => safetensors({ a: entry() }, new Uint8Array(20)), 'end'),
  refused('metadata.safetensors', () => safetensors({ __metadata__: { a: 1 }, a: entry() }), '__metadata__'),
  refused('integers.safetensors', () => tensors({ a: integersOf(1, 2) }), '"a"'),
  refused('extra-key.safetensors', () => safetensors({ a: entry({ extra: 1 }) }), '"a"'),
  refused('no-utf8.safetensors', () => safetensors('{"\xff\xfe":1}'), 'UTF-8'),
];

const FOREIGN: readonly HostileCase[] = [
  refused('empty.pt', () => '', 'empty'),
  refused('one-byte.pt', () => 'x'),
  refused(
    'pointer.safetensors',
    () => 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
    'git lfs pull',
  ),
  refused('page.pt', () => '<!DOCTYPE html><html></html>', 'web page'),
  refused('gzip.pt', () => new Uint8Array(gzipSync('weights')), 'gunzip'),
  refused('tar.pt', () => latin1(`${'\0'.repeat(257)}ustar\0${'\0'.repeat(300)}`), 'tar'),
  refused('array.npy', () => latin1('\x93NUMPY\x01\x00'), 'NumPy'),
  refused('model.gguf', () => latin1(`GGUF${'\0'.repeat(100)}`), 'GGUF'),
  refused('keras.h5', () => latin1(`\x89HDF\r\n\x1a\n${'\0'.repeat(100)}`), 'HDF5'),
  refused('noise.bin', () => Uint8Array.from({ length: 4096 }, (_, i) => (i * 73) & 0xff)),
];

const index = (
  map: unknown,
  files: HostileCase['files'] = {},
  says: string | readonly string[] = [],
): HostileCase => {
  const text = typeof map === 'string' ? map : JSON.stringify({ weight_map: map });
  const one = refused('i.index.json', () => text, says);
  return { ...one, name: `shards: ${text.slice(0, 60)}`, files: { ...one.files, ...files } };
};

const SHARDS: readonly HostileCase[] = [
  index({ a: '../../etc/passwd' }, {}, 'leads out of the folder'),
  index({ a: '/etc/passwd' }, {}, 'leads out of the folder'),
  index({ a: 'C:\\weights' }, {}, 'leads out of the folder'),
  index({ a: 'x\0y' }, {}, 'leads out of the folder'),
  index({ a: 5 }, {}, '"a"'),
  index({ a: '' }, {}, '"a"'),
  index({}, {}, 'no tensor'),
  index([], {}),
  index({ a: 'missing.safetensors' }, {}, 'missing.safetensors'),
  index(
    { a: 'one.safetensors', b: 'one.safetensors' },
    { 'one.safetensors': () => tensors({ a: floatsOf([1]) }) },
    '"b"',
  ),
  index(
    { a: 'one.safetensors', b: 'two.safetensors' },
    {
      'one.safetensors': () => tensors({ a: floatsOf([1]) }),
      'two.safetensors': () => tensors({ a: floatsOf([1]), b: floatsOf([1]) }),
    },
    'two shards',
  ),
  index({ a: 'i.index.json' }, {}, 'i.index.json'),
  index('{"weight_map": {"a": "x", "a": "y"}}', {}, '"a"'),
  index('{"weight_map":', {}, 'breaks off'),
  index('{"weights": {}}', {}, 'weight_map'),
  index(
    Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`t${i}`, `s${i}.safetensors`])),
    {},
    '3000 shards',
  ),
];

const two = () =>
  torchArchive(
    `}(${unicode('model')}${dict({ a: tensor(view) })}${unicode('ema')}${dict({ a: tensor(view) })}u`,
    four,
  );

const KEYS: readonly HostileCase[] = [
  bad(
    'key: two state dicts and none named',
    'convert two.pt -o o.safetensors',
    4,
    ['two.pt#ema', 'two.pt#model'],
    { files: { 'two.pt': two } },
  ),
  bad('key: one that is not there', 'convert two.pt#emma -o o.safetensors', 4, ['two.pt', 'ema'], {
    files: { 'two.pt': two },
  }),
  bad('key: nothing behind the #', 'convert two.pt# -o o.safetensors', 4, '#', { files: { 'two.pt': two } }),
  bad('key: of a prefix that no name has', 'convert w.safetensors#model. -o o.safetensors', 4, 'model.', {
    files: { 'w.safetensors': () => tensors({ a: floatsOf([1]) }) },
  }),
  bad('key: of a file that is not there', 'convert none.pt#ema -o o.safetensors', 4, 'none.pt'),
  bad('key: an escape for a terminal', ['convert', 'two.pt#\u001b[2J', '-o', 'o.safetensors'], 4, 'two.pt', {
    files: { 'two.pt': two },
  }),
];

/** Weights that are sound and not the graph's. */
const FITTING: readonly HostileCase[] = [
  bad(
    'weights: of another graph',
    `run ${MNIST} --weights w.safetensors --inputs in.safetensors -o o.safetensors --reference`,
    4,
    'w.safetensors',
    {
      files: {
        'w.safetensors': () => tensors({ a: floatsOf([1]) }),
        'in.safetensors': () =>
          tensors({ x: floatsOf([1, 1, 28, 28]), timesteps: floatsOf([1]), y: integersOf(1) }),
      },
    },
  ),
  bad(
    'weights: of another graph, sample',
    `sample ${MNIST} --weights w.safetensors --seeds 0 --class 1 -o out --reference`,
    4,
    'w.safetensors',
    {
      files: { 'w.safetensors': () => tensors({ a: floatsOf([1]) }) },
    },
  ),
  bad(
    'weights: of another graph, export',
    'export g.json --weights w.safetensors -o o.onnx',
    4,
    'w.safetensors',
    {
      files: { 'g.json': () => small(), 'w.safetensors': () => tensors({ a: floatsOf([1]) }) },
    },
  ),
  bad('weights: of another graph, check', 'check g.json w.safetensors', 1, 'a', {
    files: { 'g.json': () => small(), 'w.safetensors': () => tensors({ a: floatsOf([1]) }) },
  }),
  bad('weights: of no graph, infer', 'infer w.safetensors', 3, 'w.safetensors', {
    files: { 'w.safetensors': () => tensors({ a: floatsOf([1]) }) },
  }),
  bad(
    'weights: a seed that is no number',
    'sample g.json --weights hash:x --seeds 0 -o out --reference',
    4,
    'hash:x',
    {
      files: { 'g.json': () => small() },
    },
  ),
  bad('weights: a formula where a file is needed', 'check g.json hash:1', 2, 'hash:1', {
    files: { 'g.json': () => small() },
  }),
  bad('weights: a state dict of 100,000 names', 'infer d.json', 3, 'd.json', {
    megabytes: 300,
    files: { 'd.json': () => `{${Array.from({ length: 100_000 }, (_, i) => `"t${i}":[1]`).join()}}` },
  }),
  bad('weights: shapes that are none', 'infer d.json', 4, '"a"', {
    files: { 'd.json': () => '{"a":[1.5]}' },
  }),
];

/** Names by which a file might steer a terminal, in both formats; no command may print one of them as it is. */
const NAMES = ['a\u009b2J', 'b\u001b[2J', 'c\u007f', 'd\u202e', 'e\rfine', 'f\u009d0;title\u009c'];
const STEERING: HostileCase['files'] = {
  'w.safetensors': () => tensors(Object.fromEntries(NAMES.map((name) => [name, floatsOf([1])]))),
  'w.pt': () => {
    const opaque = 'cmy\u009b2J\nx\n)\x81';
    const body = Object.entries({ 'w\u009b': opaque, w: tensor(view) }).map(([name, value]) => {
      const text = Buffer.from(name, 'utf8').toString('latin1');
      return `X${uint32(text.length)}${text}${value}`;
    });
    return torchArchive(`}(${body.join('').replace('my\u009b', 'my\xc2\x9b')}u`, four);
  },
};
const steering = (file: string, words: string, exit: number, says: string) =>
  bad(`names that steer: ${words.replace('FILE', file)}`, words.replace('FILE', file), exit, says, {
    files: { ...STEERING, 'g.json': () => small() },
    writes: exit === 0 ? ['o.safetensors'] : [],
  });
const NAMED: readonly HostileCase[] = ['w.safetensors', 'w.pt'].flatMap((file) => [
  steering(file, 'check g.json FILE', 1, file),
  steering(file, 'infer FILE', 3, file),
  steering(file, 'diff g.json FILE', 1, file),
  steering(file, 'convert FILE -o o.safetensors', 0, file === 'w.pt' ? 'my\\u009b2J' : ''),
  steering(file, 'sample g.json --weights FILE --seeds 0 -o s --reference', 4, file),
  steering(file, 'check g.json FILE --json', 1, file === 'w.pt' ? 'w' : 'a\\u009b2J'),
  steering(file, 'diff g.json FILE --json', 1, file),
  steering(file, 'diff g.json FILE --format markdown', 1, file),
  steering(file, 'convert FILE#none -o o.safetensors', 4, 'none'),
]);

export const WEIGHT_CASES: readonly HostileCase[] = [
  ...BOMBS,
  ...LIES,
  ...SAFETENSORS,
  ...FOREIGN,
  ...SHARDS,
  ...KEYS,
  ...FITTING,
  ...NAMED,
];
