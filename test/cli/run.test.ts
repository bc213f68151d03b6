// `unetc run` on the reference executor: words, files and faults. Its numbers on a GPU are in device/run.test.ts.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import type { RunResult } from '../../engine/model/run-model.ts';
import { hashTensor } from '../../runtime/weights/hash.ts';
import { readTensors, type StoredTensor } from '../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { goldenGraph } from '../golden-cases.ts';
import { goldenTensors } from '../golden-tensors.ts';
import { relativeError } from '../on-device.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
const golden = (name: string) => `test/golden/${name}/expected.safetensors`;

function read(file: string): ReadonlyMap<string, StoredTensor> {
  return readTensors(fs.readFileSync(file), { kind: 'input', label: file });
}

type Tensors =
  Parameters<typeof writeTensors>[0] extends ReadonlyMap<string, infer T> ? Record<string, T> : never;

function save(tensors: Tensors): string {
  fs.writeFileSync(at('in.safetensors'), writeTensors(new Map(Object.entries(tensors))));
  return at('in.safetensors');
}

/** Runs a graph or bundle of the test's folder with weights by formula. */
function run(model: string, inputs: string, ...more: readonly string[]) {
  const words = ['--weights', 'hash:1', '--inputs', inputs, '--output', at('out.safetensors')];
  return ['run', at(model), ...words, '--reference', ...more] as const;
}

/** Inputs of a 1D model of 2 channels and of a class-conditional 2D model of 3. */
const floats = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i));
const line = (batch: number, size = 64) => ({
  x: { shape: [batch, 2, size], data: floats(batch * 2 * size) },
  timesteps: { shape: [batch], data: floats(batch).map((t) => 500 * (1 + t)) },
});
const picture = {
  x: { shape: [1, 3, 8, 8], data: floats(192) },
  timesteps: { shape: [1], data: Float32Array.of(10) },
  y: { shape: [1], data: BigInt64Array.of(3n) },
};

beforeEach(() => {
  for (const name of ['tiny-1d', 'tiny-additive-class', 'tiny-superres']) {
    fs.writeFileSync(at(`${name}.json`), goldenGraph(name));
  }
});

describe('a classifier', () => {
  const name = 'adm/classifier-adaptive';
  const given = (gradient: boolean) => {
    const expected = goldenTensors(`${name}/expected.safetensors`);
    const whole = (tensor: string) => {
      const { shape, data } = expected(tensor);
      return { shape, data: BigInt64Array.from(data as number[], BigInt) };
    };
    const { shape, data } = expected('x');
    const x = { shape, data: Float32Array.from(data) };
    return save({ x, timesteps: whole('timesteps'), ...(gradient ? { y: whole('y') } : {}) });
  };
  beforeEach(() => fs.writeFileSync(at('classifier.json'), goldenGraph(name)));
  const seeded = (...more: readonly string[]) => {
    const words = ['--inputs', at('in.safetensors'), '--output', at('out.safetensors'), '--reference'];
    return ['run', at('classifier.json'), '--weights', 'hash:67', ...words, ...more] as const;
  };

  test('gives logits, and with --gradient the derivative of the log-probability of its labels', async () => {
    given(true);
    const result = await unetcJson<RunResult>(...seeded('--gradient'));
    expect(result).toMatchObject({ exit: 0, tensors: { output: [2, 10], gradient: [2, 3, 16, 16] } });
    const expected = goldenTensors(`${name}/expected.safetensors`);
    for (const tensor of ['output', 'gradient']) {
      const found = read(at('out.safetensors')).get(tensor)!.data as Float32Array;
      expect(relativeError(found, expected(tensor).data), tensor).toBeLessThan(4e-6);
    }
  });

  test('takes labels for its gradient alone', async () => {
    given(false);
    expect((await unetcJson<RunResult>(...seeded())).tensors).toEqual({ output: [2, 10] });
    const missing = await unetc(...seeded('--gradient'));
    expect(missing.exit).toBe(5);
    expect(missing.stderr).toContain('y is missing: the model has 10 classes');
  });

  test('is what --gradient is for', async () => {
    const found = await unetc(...run('tiny-1d.json', golden('tiny-1d'), '--gradient'));
    expect(found.exit).toBe(2);
    expect(found.stderr).toContain('--gradient: tiny-1d is no classifier');
  });
});

describe('outputs', () => {
  test('agree with PyTorch; batch and size are those of x', async () => {
    const result = await unetcJson<RunResult>(...run('tiny-1d.json', golden('tiny-1d')));
    expect(result).toMatchObject({
      exit: 0,
      name: 'tiny-1d',
      adapter: 'the reference executor',
      batch: 2,
      image_size: [64],
      tensors: { output: [2, 2, 64] },
      not_finite: {},
    });
    const output = read(at('out.safetensors')).get('output')!;
    expect(
      relativeError(
        output.data as Float32Array,
        goldenTensors('tiny-1d/expected.safetensors')('output').data,
      ),
    ).toBeLessThan(1e-5);
  });

  test('--taps adds the feature vectors', async () => {
    const { exit, stdout } = await unetc(...run('tiny-1d.json', save(line(1)), '--taps'));
    expect(exit).toBe(0);
    expect(stdout).toContain('out.safetensors: output [1, 2, 64] and 9 feature vectors in ');
    const names = [...read(at('out.safetensors')).keys()];
    expect(names).toEqual(expect.arrayContaining(['output', 'down.0', 'down.3', 'middle', 'up.0', 'up.3']));
  });

  test('a bundle gives what its graph gives, with its own batch and size', async () => {
    const inputs = save(line(3, 32));
    await unetc(...run('tiny-1d.json', inputs));
    const ofGraph = fs.readFileSync(at('out.safetensors'));
    await unetc('compile', at('tiny-1d.json'), '-o', at('b'), '--batch', '3', '--size', '32', '--taps');
    expect((await unetc(...run('b', inputs))).exit).toBe(0);
    expect(fs.readFileSync(at('out.safetensors')).equals(ofGraph)).toBe(true);
    await unetc(...run('b', inputs, '--taps', '--batch', '3', '--size', '32', '--precision', 'f32'));
    expect(read(at('out.safetensors')).has('middle')).toBe(true);
  });

  test.each<[string, Tensors]>([
    ['timesteps in float64', { timesteps: { shape: [1], data: Float64Array.of(10) } }],
    ['timesteps in int64', { timesteps: { shape: [1], data: BigInt64Array.of(10n) } }],
    ['timesteps in int32', { timesteps: { shape: [1], data: Int32Array.of(10) } }],
    ['labels in int32', { y: { shape: [1], data: Int32Array.of(3) } }],
    ['labels in uint8', { y: { shape: [1], data: Uint8Array.of(3) } }],
    ['x in float64', { x: { shape: [1, 3, 8, 8], data: Float64Array.from(picture.x.data) } }],
  ])('%s are the same inputs', async (_, change) => {
    await unetc(...run('tiny-additive-class.json', save(picture)));
    const plain = fs.readFileSync(at('out.safetensors'));
    expect((await unetc(...run('tiny-additive-class.json', save({ ...picture, ...change })))).exit).toBe(0);
    expect(fs.readFileSync(at('out.safetensors')).equals(plain)).toBe(true);
  });

  test('labels may be called as diffusers calls them, where the model has some', async () => {
    const { y, ...unlabelled } = picture;
    await unetc(...run('tiny-additive-class.json', save(picture)));
    const plain = fs.readFileSync(at('out.safetensors'));
    const named = save({ ...unlabelled, class_labels: y });
    expect((await unetc(...run('tiny-additive-class.json', named))).exit).toBe(0);
    expect(fs.readFileSync(at('out.safetensors')).equals(plain)).toBe(true);
    const twice = await unetc(...run('tiny-additive-class.json', save({ ...picture, class_labels: y })));
    expect([twice.exit, twice.stderr]).toEqual([
      5,
      expect.stringContaining('"class_labels" is no input of the model'),
    ]);
    const none = await unetc(...run('tiny-1d.json', save({ ...line(1), class_labels: y })));
    expect([none.exit, none.stderr]).toEqual([
      5,
      expect.stringContaining('"class_labels" is no input of the model'),
    ]);
  });

  test('values that are not finite are told, and written as they are', async () => {
    const { graph } = loadGraph(goldenGraph('tiny-1d'), 'tiny-1d');
    const weights = parameters(graph).map(({ name, shape }) => {
      const data = hashTensor(name, shape, 1);
      return [name, { shape, data: name === 'out.2.bias' ? data.fill(Number.NaN, 0, 1) : data }] as const;
    });
    fs.writeFileSync(at('nan.safetensors'), writeTensors(new Map(weights)));
    const words = run('tiny-1d.json', save(line(1)), '--weights', at('nan.safetensors'));
    const { exit, stderr } = await unetc(...words);
    expect(exit).toBe(0);
    expect(stderr).toContain('warning: output has 64 values that are not finite');
    expect((await unetcJson<RunResult>(...words)).not_finite).toEqual({ output: 64 });
    const { data } = read(at('out.safetensors')).get('output')!;
    expect(Array.from(data as Float32Array, Number.isFinite).indexOf(true)).toBe(64);
  });
});

describe('inputs that do not fit (exit 5)', () => {
  const bad: readonly (readonly [string, string, Tensors, readonly string[]])[] = [
    [
      'everything missing',
      'tiny-additive-class',
      {},
      ['x is missing', 'timesteps is missing', 'y is missing'],
    ],
    [
      'a name with a slip',
      'tiny-1d',
      { ...line(1), timestep: line(1).timesteps },
      ['"timestep" is no input', 'did you mean timesteps?'],
    ],
    [
      'a label for a model without classes',
      'tiny-1d',
      { ...line(1), y: picture.y },
      ['"y" is no input of the model; leave it out, or rename it: it takes only x, timesteps'],
    ],
    [
      'labels that no class has',
      'tiny-additive-class',
      { ...picture, y: { shape: [1], data: BigInt64Array.of(-1n) } },
      ['y[0] is -1, expected a label from 0 to'],
    ],
    [
      'labels in float32',
      'tiny-additive-class',
      { ...picture, y: { shape: [1], data: Float32Array.of(3) } },
      ['y is of type F32; labels are whole numbers'],
    ],
    [
      'an integer x',
      'tiny-additive-class',
      { ...picture, x: { shape: [1, 3, 8, 8], data: new Uint8Array(192) } },
      ['x is of type U8; store it as F32'],
    ],
    [
      'a NaN and an infinity in x',
      'tiny-1d',
      {
        ...line(1),
        x: {
          shape: [1, 2, 64],
          data: floats(128).map((v, i) => (i === 65 ? Number.NaN : i === 70 ? 1 / 0 : v)),
        },
      },
      ['x is NaN at [0, 1, 1], 2 of 128 values are not finite'],
    ],
    [
      'timesteps that are not finite',
      'tiny-1d',
      { ...line(1), timesteps: { shape: [1], data: Float32Array.of(Number.NaN) } },
      ['timesteps[0] is NaN'],
    ],
    [
      'timesteps of another batch',
      'tiny-1d',
      { ...line(2), timesteps: line(3).timesteps },
      ['timesteps has 3 values, expected 2'],
    ],
    [
      'timesteps of two dimensions',
      'tiny-1d',
      { ...line(2), timesteps: { shape: [2, 1], data: floats(2) } },
      ['timesteps has shape [2, 1], expected one number a sample'],
    ],
    [
      'x of another rank',
      'tiny-1d',
      { ...line(2), x: { shape: [2, 128], data: floats(256) } },
      ['x has shape [2, 128], expected [2, 2, 64]'],
    ],
    [
      'x of other channels',
      'tiny-1d',
      { ...line(1), x: { shape: [1, 3, 64], data: floats(192) } },
      ['x has shape [1, 3, 64], expected [1, 2, 64]'],
    ],
    [
      'x of a size that the graph cannot take',
      'tiny-1d',
      line(1, 63),
      ['x is [1, 2, 63], a size that', 'does not survive the downsamplings'],
    ],
    [
      'no low_res',
      'tiny-superres',
      { ...picture, x: { shape: [1, 3, 32, 32], data: floats(3072) } },
      ['low_res is missing: the model takes [1, 3, '],
    ],
    [
      'several faults',
      'tiny-additive-class',
      {
        ...picture,
        x: { shape: [1, 1, 8, 8], data: floats(64) },
        y: { shape: [2], data: BigInt64Array.of(1n, 2n) },
        z: picture.y,
      },
      ['"z" is no input', 'x has shape [1, 1, 8, 8]', 'y has 2 values, expected 1'],
    ],
  ];

  test.each(bad)('%s', async (_, model, tensors, messages) => {
    const { exit, stdout, stderr } = await unetc(...run(`${model}.json`, save(tensors)));
    expect([exit, stdout]).toEqual([5, '']);
    for (const message of messages) expect(stderr).toContain(message);
    expect(stderr).toContain(`${at('in.safetensors')}: `);
    expect(fs.existsSync(at('out.safetensors'))).toBe(false);
  });

  test('a file that is missing, and one that is no safetensors file', async () => {
    expect(await unetc(...run('tiny-1d.json', at('none.safetensors')))).toMatchObject({ exit: 5 });
    expect(await unetc(...run('tiny-1d.json', 'README.md'))).toMatchObject({ exit: 5 });
  });

  test('x of another batch or size than a bundle was compiled for', async () => {
    await unetc('compile', at('tiny-1d.json'), '-o', at('b'), '--batch', '2');
    const { exit, stderr } = await unetc(...run('b', save(line(3, 32))));
    expect(exit).toBe(5);
    expect(stderr).toContain('x has shape [3, 2, 32], expected [2, 2, 64] (batch and size are compiled in)');
  });
});

describe('other faults', () => {
  test.each([
    [['--batch', '0'], 2, '--batch'],
    [['--precision', 'f64'], 2, '--precision'],
    [['--target', 'abacus'], 2, "--target: found 'abacus'"],
    [['--size', '63'], 3, 'the requested size 63 does not survive'],
    [['--size', '32'], 5, 'x has shape [2, 2, 64], expected [2, 2, 32]'],
    [['--batch', '4'], 5, 'x has shape [2, 2, 64], expected [4, 2, 64]'],
    [['--weights', 'none.pt'], 4, 'none.pt'],
    [['--weights', 'graphs/mnist.safetensors'], 4, 'the weights do not fit the graph'],
    [['--output', 'README.md/out.safetensors'], 9, 'README.md'],
  ])('%j exits %i', async (more, code, message) => {
    const { exit, stdout, stderr } = await unetc(...run('tiny-1d.json', golden('tiny-1d'), ...more));
    expect([exit, stdout]).toEqual([code, '']);
    expect(stderr).toContain(message);
    expect(fs.existsSync(at('out.safetensors'))).toBe(false);
  });

  test('options that a bundle was not compiled for are all named', async () => {
    await unetc('compile', at('tiny-1d.json'), '-o', at('b'), '--batch', '2');
    const more = ['--batch', '4', '--size', '32', '--taps', '--target', 'software'];
    const { exit, stderr } = await unetc(...run('b', golden('tiny-1d'), ...more));
    expect(exit).toBe(2);
    expect(stderr).toContain('--batch 4: the bundle was compiled for 2');
    expect(stderr).toContain('--size 32: the bundle was compiled for 64');
    expect(stderr).toContain('--target software: the bundle was compiled for generic');
    expect(stderr).toContain('--taps: the bundle was compiled without them');
  });

  test('the graph is looked at before the inputs, these before the weights', async () => {
    const words = ['--weights', 'none.pt', '--inputs', 'none', '--output', at('o'), '--reference'];
    expect((await unetc('run', 'none.json', ...words)).exit).toBe(3);
    expect((await unetc('run', at(), ...words)).exit).toBe(6);
    expect((await unetc('run', at('tiny-1d.json'), ...words)).exit).toBe(5);
  });

  test('bad inputs and weights are found without a GPU', async () => {
    const words = ['run', at('tiny-1d.json'), '--output', at('o')];
    process.env.UNETC_ADAPTER = 'an adapter that is not there';
    try {
      const bad = save({ x: line(1).x });
      expect((await unetc(...words, '--weights', 'hash:1', '--inputs', bad)).exit).toBe(5);
      const good = save(line(1));
      expect((await unetc(...words, '--weights', 'hash:x', '--inputs', good)).exit).toBe(4);
      expect((await unetc(...words, '--weights', 'hash:1', '--inputs', good)).exit).toBe(7);
    } finally {
      delete process.env.UNETC_ADAPTER;
    }
  });
});
