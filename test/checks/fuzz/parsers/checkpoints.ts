// Checkpoints of every format, by content: names and shapes first, then every tensor that is not too large to be read.

import { unzipSync, zipSync } from 'fflate';
import { parameters } from '../../../../compiler/graph/parameters.ts';
import { inferGraph } from '../../../../compiler/import/infer.ts';
import { tensorsOfCheckpoint } from '../../../../engine/checkpoint/checkpoint-tensors.ts';
import { bytesInMemory, type Origin } from '../../../../runtime/bytes.ts';
import { openCheckpoint } from '../../../../runtime/weights/checkpoint.ts';
import { readTensors } from '../../../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../../../runtime/weights/safetensors-write.ts';
import {
  dict,
  floats,
  legacyFile,
  numpyArray,
  tensor,
  torchArchive,
  unicode,
} from '../../../fixtures/torch-archive.ts';
import { joined, mutateBytes } from '../mutate-bytes.ts';
import { type Json, mutateJson, textOfJson } from '../mutate-text.ts';
import { bytesOf, consistent, type Parser, readOr, refused, textOf } from '../parser.ts';
import type { Random } from '../random.ts';
import { stateDicts, torchFiles } from '../seeds.ts';

/** Elements of a tensor that is read whole. */
const READ_WHOLE = 2 ** 16;

async function readCheckpoint(input: Uint8Array): Promise<boolean> {
  const origin: Origin = { kind: 'weights', label: 'input' };
  const source = await readOr(['weights'], () => openCheckpoint(bytesInMemory(input, origin), 'input'));
  if (source === refused) return false;
  for (const { name, shape } of (source.tensors ?? []).slice(0, 50)) {
    const count = shape.reduce((n, size) => n * size, 1);
    if (count > READ_WHOLE) continue;
    const values = await readOr(['weights'], () => source.read(name, shape));
    if (values !== refused)
      consistent(values.length === count, () => `${name} has ${values.length} of ${count} values`);
  }
  source.close();
  return true;
}

const SAFETENSORS: readonly Uint8Array[] = [
  writeTensors(new Map([['a', { shape: [2, 3], data: new Float32Array(6) }]])),
  writeTensors(
    new Map<string, { shape: number[]; data: Float32Array | BigInt64Array | Uint16Array }>([
      ['x.weight', { shape: [4, 1], data: new Float32Array(4) }],
      ['y', { shape: [2], data: new BigInt64Array(2) }],
      ['z', { shape: [], data: new Float32Array(1) }],
      ['empty', { shape: [0, 5], data: new Float32Array(0) }],
    ]),
    { format: 'pt', key: 'k' },
  ),
];

/** A header changed as JSON, under a length that is right or not, before data of the right length or not. */
function safetensorsInput(random: Random): Uint8Array {
  const seed = random.pick(SAFETENSORS);
  if (random.oneIn(3)) return mutateBytes(seed, SAFETENSORS, random);
  const length = Number(new DataView(seed.buffer, seed.byteOffset).getBigUint64(0, true));
  const documents = SAFETENSORS.map((one) => headerOf(one));
  const text = bytesOf(textOfJson(mutateJson(headerOf(seed), documents, random), random));
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(
    0,
    BigInt(text.length + (random.oneIn(6) ? random.below(5) - 2 : 0)),
    true,
  );
  const data = seed.subarray(8 + length);
  return joined(size, text, random.oneIn(4) ? mutateBytes(data, SAFETENSORS, random) : data);
}

function headerOf(file: Uint8Array): Json {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return JSON.parse(textOf(file.subarray(8, 8 + length)).trim());
}

export const safetensors: Parser = {
  name: 'safetensors',
  share: 14,
  make: safetensorsInput,
  async read(input) {
    const taken = await readCheckpoint(input);
    const tensors = await readOr(['input'], () => readTensors(input, { kind: 'input', label: 'input' }));
    if (tensors === refused || !taken) return false;
    const sum = [...tensors.values()].reduce((bytes, { data }) => bytes + data.length, 0);
    consistent(sum <= input.length * 2, () => `${sum} values out of ${input.length} bytes`);
    return true;
  },
};

const four = { 0: floats(1, 2, 3, 4) };
const view = tensor({ count: 4, shape: [4], stride: [1] });
const LEGACY = [
  legacyFile(dict({ a: view }), four),
  legacyFile(
    `}(${unicode('state_dict')}${dict({ a: view, b: tensor({ count: 4, shape: [2, 2], stride: [1, 2] }) })}u`,
    four,
  ),
];
const ARCHIVES = [
  ...torchFiles(),
  torchArchive(dict({ a: view }), four),
  torchArchive(dict({ a: view, n: numpyArray([2, 2], floats(1, 2, 3, 4)), s: unicode('text') }), four),
  ...LEGACY,
];
const PICKLES = ARCHIVES.map((file) => pickleOf(file) ?? file);

function pickleOf(file: Uint8Array): Uint8Array | null {
  if (file[0] !== 0x50) return null;
  return Object.entries(unzipSync(file)).find(([name]) => name.endsWith('data.pkl'))?.[1] ?? null;
}

/** Opcodes with operands that mostly fit them. */
const OPCODES: readonly string[] = [
  ...[
    '}',
    ']',
    ')',
    '(',
    'N',
    '\x88',
    '\x89',
    '0',
    '1',
    '2',
    't',
    'l',
    'd',
    'a',
    'e',
    's',
    'u',
    'R',
    'Q',
    'b',
    '.',
    '\x81',
  ],
  ...[
    '\x8f',
    '\x90',
    '\x91',
    '\x85',
    '\x86',
    '\x87',
    '\x94',
    'K\x01',
    'M\x01\x02',
    'J\xff\xff\xff\xff',
    '\x8a\x02\x01\x80',
  ],
  ...[
    '\x8a\x00',
    '\x8b\x04\x00\x00\x00aaaa',
    'q\x00',
    'r\x00\x01\x00\x00',
    'h\x00',
    'j\x00\x00\x00\x00',
    'I1\n',
    'I01\n',
  ],
  ...[
    'L5L\n',
    'F1.5\n',
    'G?\xf0\x00\x00\x00\x00\x00\x00',
    "S'a'\n",
    'Va\\u0041\n',
    'U\x01a',
    'T\x02\x00\x00\x00ab',
    'C\x01a',
  ],
  ...[
    'X\x01\x00\x00\x00a',
    '\x8c\x01a',
    '\x95\x02\x00\x00\x00\x00\x00\x00\x00',
    'g0\n',
    'p0\n',
    'P0\n',
    '\x97',
    '\x98',
  ],
  ...[
    'ctorch._utils\n_rebuild_tensor_v2\n',
    'ctorch\nFloatStorage\n',
    'ccollections\nOrderedDict\n',
    'cos\nsystem\n',
  ],
  ...[
    'cnumpy\ndtype\n',
    'cnumpy.core.multiarray\n_reconstruct\n',
    'cnumpy\nndarray\n',
    '\x93',
    'i__main__\nA\n',
    'o',
    '\x92',
  ],
  ...[view, dict({ a: view }), unicode('state_dict'), numpyArray([1], floats(1))],
];

function program(random: Random): Uint8Array {
  const length = 1 + random.below(random.oneIn(5) ? 60 : 12);
  const body = Array.from({ length }, () => random.pick(OPCODES)).join('');
  return Uint8Array.from(`\x80${random.pick(['\x02', '\x04', '\x05'])}${body}.`, (c) => c.charCodeAt(0));
}

/** A pickle changed inside a whole archive, a program of opcodes, or bytes changed anywhere. */
function torchInput(random: Random): Uint8Array {
  const seed = random.pick(ARCHIVES);
  const kind = random.below(5);
  if (kind === 0) return mutateBytes(seed, ARCHIVES, random);
  if (kind === 1)
    return random.oneIn(2) ? program(random) : mutateBytes(random.pick(LEGACY), ARCHIVES, random);
  if (seed[0] !== 0x50) return mutateBytes(seed, ARCHIVES, random);
  const entries = Object.entries(unzipSync(seed)).map(([name, bytes]): [string, Uint8Array] => {
    if (!name.endsWith('data.pkl')) {
      if (!random.oneIn(12)) return [name, bytes];
      return random.oneIn(2) ? [`${name}x`, bytes] : [name, mutateBytes(bytes, PICKLES, random)];
    }
    if (kind === 2) return [name, program(random)];
    return [name, kind === 3 ? spliced(bytes, random) : mutateBytes(bytes, PICKLES, random)];
  });
  return zipSync(Object.fromEntries(entries), { level: random.oneIn(10) ? 6 : 0, mtime: '1980-01-01' });
}

/** A few opcodes put into a pickle. */
function spliced(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const body = Array.from({ length: 1 + random.below(4) }, () => random.pick(OPCODES)).join('');
  const left = random.oneIn(2) ? at : Math.min(bytes.length, at + random.below(20));
  return joined(
    bytes.subarray(0, at),
    Uint8Array.from(body, (c) => c.charCodeAt(0)),
    bytes.subarray(left),
  );
}

export const torch: Parser = { name: 'torch', share: 18, make: torchInput, read: readCheckpoint };

const DICTS = stateDicts();
const LISTED: readonly Json[] = [
  ...DICTS,
  { weight_map: { a: 'model-00001-of-00002.safetensors', b: '../b', c: 'c' } },
];

/** The same tensors in another order, with or without a prefix: a checkpoint of the same graph. */
function reordered(dict: { readonly [key: string]: Json }, random: Random): Json {
  const entries = Object.entries(dict);
  const at = random.below(entries.length);
  const prefix = random.pick(['', 'module.', 'model.diffusion_model.']);
  return Object.fromEntries(
    [...entries.slice(at), ...entries.slice(0, at)].map(([name, shape]) => [prefix + name, shape]),
  );
}

/** A state dict or an index of shards as JSON; what can be read of it is inferred, and fits what is inferred. */
export const infer: Parser = {
  name: 'infer',
  share: 5,
  make(random) {
    const value = random.oneIn(6)
      ? reordered(random.pick(DICTS), random)
      : mutateJson(random.pick(LISTED), LISTED, random);
    return bytesOf(textOfJson(value, random));
  },
  async read(input) {
    const origin: Origin = { kind: 'weights', label: 'input' };
    const address = { label: 'input', file: 'input', key: null };
    const shard = (name: string) =>
      bytesInMemory(SAFETENSORS[name.length % 2]!, { kind: 'weights', label: name });
    const found = await readOr(['weights'], () =>
      tensorsOfCheckpoint(bytesInMemory(input, origin), address, shard),
    );
    if (found === refused) return false;
    const inferred = await readOr(['graph'], () => inferGraph(found.tensors));
    if (inferred === refused) return false;
    const named = parameters(inferred.graph).map(({ name, shape }) => `${name} ${shape}`);
    consistent(named.length === found.tensors.size, 'the graph has other tensors than the checkpoint');
    return true;
  },
};
