// One small model in the forms that people's checkpoints have: every command that takes weights reads the same values.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { parameters } from '../../../compiler/graph/parameters.ts';
import { load } from '../../../engine/api.ts';
import { hashTensor } from '../../../runtime/weights/hash.ts';
import { readTensors } from '../../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import {
  dict,
  latin1,
  legacyFile,
  numpyArray,
  tensor,
  torchArchive,
  unicode,
} from '../../fixtures/torch-archive.ts';
import { unetc, unetcJson } from '../../unetc.ts';

const GRAPH = JSON.stringify({
  version: 1,
  name: 'tiny',
  image_size: [16],
  unet: {
    ...{ in_channels: 1, model_channels: 32, out_channels: 1, num_res_blocks: 1, attention_resolutions: [] },
    ...{ channel_mult: [1], dims: 1 },
  },
});
const PARAMETERS = parameters(loadGraph(GRAPH, 'tiny').graph);

const folder = mkdtempSync(path.join(tmpdir(), 'unetc-forms-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...names: readonly string[]) => path.join(folder, ...names);

/** The bytes of a parameter in one of two sets of weights. */
function bytesOf(seed: number, name: string, shape: readonly number[]): Uint8Array {
  return new Uint8Array(hashTensor(name, shape, seed).buffer);
}

/** A pickled state dict and its storages. */
function stateDict(
  seed: number,
  prefix = '',
): { readonly pickle: string; readonly storages: Record<string, Uint8Array> } {
  const storages: Record<string, Uint8Array> = {};
  const entries = PARAMETERS.map(({ name, shape }, i) => {
    const key = `${1000 * seed + i}`;
    storages[key] = bytesOf(seed, name, shape);
    const stride = shape.map((_, axis) => shape.slice(axis + 1).reduce((n, size) => n * size, 1));
    const count = shape.reduce((n, size) => n * size, 1);
    return [prefix + name, tensor({ key, count, shape, stride })] as const;
  });
  return { pickle: dict(Object.fromEntries(entries)), storages };
}

const EXTRA = tensor({ key: 'x', count: 9, shape: [3, 3], stride: [3, 1] });
const NINE = { x: new Uint8Array(36) };
const [model, ema] = [stateDict(1), stateDict(2)];
const both = { ...model.storages, ...ema.storages };
const namespace = `cargparse\nNamespace\n)\x81}${unicode('lr')}G\x3f\x1a\x36\xe2\xeb\x1c\x43\x2dsb`;
const scalar = `cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n${unicode('f8')}\x89\x88\x87RC\x08\0\0\0\0\0\0\xd0?\x86R`;
const prefixed = stateDict(1, 'model.diffusion_model.');
const wrapped = stateDict(1, 'model.');

/** A dict with what another one has and more. */
function withMore(pickle: string, more: string): string {
  return `${pickle.slice(0, -1)}${more}u`;
}

function shards(): Record<string, Uint8Array> {
  const file = (odd: boolean) =>
    writeTensors(
      new Map(
        PARAMETERS.filter(({ name }) => name.endsWith('bias') === odd).map(
          ({ name, shape }) => [name, { shape, data: hashTensor(name, shape, 1) }] as const,
        ),
      ),
    );
  const name = (odd: boolean) => `model-0000${odd ? 1 : 2}-of-00002.safetensors`;
  const weight_map = Object.fromEntries(PARAMETERS.map((one) => [one.name, name(one.name.endsWith('bias'))]));
  return {
    'model.safetensors.index.json': new TextEncoder().encode(JSON.stringify({ metadata: {}, weight_map })),
    [name(true)]: file(true),
    [name(false)]: file(false),
  };
}

const numpy = dict(
  Object.fromEntries(PARAMETERS.map(({ name, shape }) => [name, numpyArray(shape, bytesOf(1, name, shape))])),
);

const FILES: Readonly<Record<string, Uint8Array>> = {
  'graph.json': new TextEncoder().encode(GRAPH),
  'plain.pt': torchArchive(model.pickle, model.storages),
  'pytorch_model.bin': torchArchive(model.pickle, model.storages, {}, 6),
  'model-and-ema.pt': torchArchive(
    withMore(dict({ model: model.pickle, ema: ema.pickle }), `${unicode('step')}K\x64`),
    both,
  ),
  'nested-ema.pt': torchArchive(
    dict({ state_dict: dict({ 'ema_0.9999': ema.pickle, model: model.pickle }) }),
    both,
  ),
  'lightning.ckpt': torchArchive(
    dict({ state_dict: wrapped.pickle, hyper_parameters: namespace, callbacks: '}', epoch: 'K\x03' }),
    wrapped.storages,
  ),
  'numpy-scalar.pt': torchArchive(dict({ state_dict: model.pickle, best: scalar }), model.storages),
  'ldm.ckpt': torchArchive(
    dict({ state_dict: withMore(prefixed.pickle, `${unicode('first_stage_model.encoder.weight')}${EXTRA}`) }),
    { ...prefixed.storages, ...NINE },
  ),
  'legacy.pt': legacyFile(model.pickle, model.storages),
  'numpy.pt': torchArchive(numpy),
  'numpy.pkl': latin1(`\x80\x04${numpy}.`),
  'extra.pt': torchArchive(withMore(model.pickle, `${unicode('unused_head.weight')}${EXTRA}`), {
    ...model.storages,
    ...NINE,
  }),
  ...shards(),
  'in.safetensors': writeTensors(
    new Map<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }>([
      ['x', { shape: [1, 1, 16], data: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)) }],
      ['timesteps', { shape: [1], data: BigInt64Array.of(500n) }],
    ]),
  ),
};

beforeAll(() => {
  for (const [name, bytes] of Object.entries(FILES)) writeFileSync(at(name), bytes);
});

/** What `unetc run` says and writes for weights; `values` is null where it fails. */
async function run(weights: string, ...options: readonly string[]) {
  const out = at('out.safetensors');
  rmSync(out, { force: true });
  const files = ['--inputs', at('in.safetensors'), '--output', out, '--reference'];
  const outcome = await unetc('run', at('graph.json'), '--weights', weights, ...files, ...options);
  const output = { kind: 'output', label: out } as const;
  const values = outcome.exit === 0 ? readTensors(readFileSync(out), output).get('output')!.data : null;
  return { ...outcome, values };
}

describe('unetc run', () => {
  test.each<[string, 1 | 2]>([
    ['plain.pt', 1],
    ['pytorch_model.bin', 1],
    ['model-and-ema.pt#model', 1],
    ['model-and-ema.pt#ema', 2],
    ['nested-ema.pt#state_dict.model', 1],
    ['nested-ema.pt#state_dict.ema_0.9999', 2],
    ['lightning.ckpt', 1],
    ['lightning.ckpt#state_dict.model.', 1],
    ['numpy-scalar.pt', 1],
    ['ldm.ckpt#state_dict.model.diffusion_model.', 1],
    ['ldm.ckpt#model.diffusion_model', 1],
    ['legacy.pt', 1],
    ['numpy.pt', 1],
    ['numpy.pkl', 1],
    ['model.safetensors.index.json', 1],
  ])('%s has the values of set %i', async (weights, set) => {
    const expected = await run(`hash:${set}`);
    const found = await run(at(weights));
    expect(found.stderr.replace(/^note: .*\n/gm, '')).toBe('');
    expect(found.exit).toBe(0);
    expect(found.values).toEqual(expected.values);
  });

  test('what is no tensor is named in a note', async () => {
    const { stderr } = await run(at('lightning.ckpt'));
    expect(stderr).toContain('left out "hyper_parameters" (argparse.Namespace), "callbacks", "epoch"');
    expect(stderr).toContain(
      'placeholders stand for argparse.Namespace, which make no tensors: nothing was imported',
    );
    expect((await run(at('numpy-scalar.pt'))).stderr).toContain(
      'left out "best" (numpy.core.multiarray.scalar)',
    );
  });

  test('where several are there, the keys are named, the averaged ones first', async () => {
    const { exit, stderr } = await run(at('model-and-ema.pt'));
    expect(exit).toBe(4);
    const file = at('model-and-ema.pt');
    expect(stderr).toContain(`name one: ${file}#ema (${PARAMETERS.length} tensors), ${file}#model`);
    expect((await run(at('nested-ema.pt'))).stderr).toContain(
      `${at('nested-ema.pt')}#state_dict.ema_0.9999 (`,
    );
    expect((await run(`${file}#emma`)).exit).toBe(4);
  });

  test('the prefix that fits the graph is named', async () => {
    const { exit, stderr } = await run(at('ldm.ckpt'));
    expect(exit).toBe(4);
    expect(stderr).toContain(
      `what fits the graph lies under a prefix: ${at('ldm.ckpt')}#state_dict.model.diffusion_model.\n`,
    );
  });

  test('a tensor too many is an error, or is left out and listed', async () => {
    const refused = await run(at('extra.pt'));
    expect(refused.exit).toBe(4);
    expect(refused.stderr).toContain('--allow-unexpected');
    const found = await run(at('extra.pt'), '--allow-unexpected');
    expect(found.stderr).toContain('left out: unused_head.weight [3, 3]');
    expect(found.values).toEqual((await run('hash:1')).values);
  });
});

describe('the other commands', () => {
  const graph = () => at('graph.json');

  test('sample, and a folder that knows the key', async () => {
    const options = ['--seeds', '0', '--steps', '2', '--format', 'safetensors', '--reference'];
    const words = (weights: string) => ['sample', graph(), '--weights', weights, ...options];
    const first = await unetc(...words(at('model-and-ema.pt#ema')), '--out', at('samples'));
    expect(first).toMatchObject({ exit: 0 });
    const other = await unetc(...words(at('model-and-ema.pt#model')), '--out', at('samples'));
    expect(other.exit).toBe(9);
    const allowed = await unetc(...words(at('extra.pt')), '--allow-unexpected', '--out', at('others'));
    expect(allowed).toMatchObject({ exit: 0 });
  });

  test('drift', async () => {
    const words = [
      '--weights',
      at('model-and-ema.pt#ema'),
      '--weights-b',
      at('extra.pt'),
      '--allow-unexpected',
    ];
    const { exit, stderr } = await unetc('drift', graph(), graph(), ...words, '--reference');
    expect({ exit, stderr: stderr.includes('unused_head.weight') }).toEqual({ exit: 0, stderr: true });
  });

  test('check', async () => {
    expect((await unetc('check', graph(), at('nested-ema.pt#state_dict.ema_0.9999'))).exit).toBe(0);
    expect((await unetc('check', graph(), at('model-and-ema.pt'))).exit).toBe(4);
    expect((await unetc('check', graph(), at('extra.pt'))).exit).toBe(1);
    expect((await unetc('check', graph(), at('extra.pt'), '--allow-unexpected')).exit).toBe(0);
    const { exit, stderr } = await unetc('check', graph(), at('ldm.ckpt'));
    expect(exit).toBe(1);
    expect(stderr).toContain(`lies under a prefix: ${at('ldm.ckpt')}#state_dict.model.diffusion_model.\n`);
  });

  test('infer', async () => {
    const found = await unetcJson<{ graph: { name: string } }>(
      'infer',
      at('nested-ema.pt#state_dict.ema_0.9999'),
    );
    expect(found.graph.name).toBe('nested-ema');
    expect((await unetc('infer', at('model.safetensors.index.json'))).exit).toBe(0);
    expect((await unetc('infer', at('ldm.ckpt'))).stderr).toContain(
      `what looks like a model lies under a prefix: ${at('ldm.ckpt')}#state_dict.model.diffusion_model.\n`,
    );
  });

  test('diff', async () => {
    const { exit, stdout } = await unetc(
      'diff',
      at('model-and-ema.pt#ema'),
      at('model.safetensors.index.json'),
    );
    expect({ exit, same: stdout.includes('no changes') }).toEqual({ exit: 0, same: true });
  });

  test('convert and export', async () => {
    const out = at('converted.safetensors');
    expect((await unetc('convert', at('ldm.ckpt#state_dict.model.diffusion_model.'), out)).exit).toBe(0);
    expect((await run(out)).values).toEqual((await run('hash:1')).values);
    const words = ['--weights', at('extra.pt'), '--allow-unexpected', '-o', at('tiny.onnx')];
    expect((await unetc('export', graph(), ...words)).exit).toBe(0);
  });

  test('the Node API', async () => {
    const options = { weights: at('extra.pt'), reference: true };
    await expect(load(graph(), options)).rejects.toThrow('allowUnexpected');
    const loaded = await load(graph(), { ...options, allowUnexpected: true });
    expect(loaded.notes.join()).toContain('unused_head.weight');
    await loaded.close();
  });
});
