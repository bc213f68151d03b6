// The Node API, on the reference executor.

import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import {
  type CompileOptions,
  compile,
  GraphError,
  type LoadOptions,
  load,
  RuntimeError,
  UsageError,
} from '../../engine/api.ts';
import { formatManifest } from '../../runtime/bundle.ts';
import { hashTensor } from '../../runtime/weights/hash.ts';
import { goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc } from '../unetc.ts';

const at = temporaryFolder();
const GRAPH = 'graphs/mnist.json';
const TEXT = goldenGraph('tiny-1d');
const TINY: object = JSON.parse(TEXT);

const inputs = (batch: number) => ({
  x: { shape: [batch, 2, 64], data: Float32Array.from({ length: batch * 128 }, (_, i) => Math.cos(i)) },
  timesteps: Array.from({ length: batch }, (_, i) => 100 * i),
});

const tiny = (options: Partial<LoadOptions> = {}) =>
  load(TINY, { weights: 'hash:1', reference: true, ...options });

describe('compile', () => {
  test('gives the bundle that the command writes, from a path, a text and an object', async () => {
    await unetc('compile', GRAPH, '-o', at('b'), '--batch', '2', '--types');
    const text = fs.readFileSync(GRAPH, 'utf8');
    for (const graph of [GRAPH, text, JSON.parse(text) as object]) {
      const { manifest, kernels } = compile(graph, { batch: 2 });
      expect(formatManifest(manifest)).toBe(fs.readFileSync(at('b', 'manifest.json'), 'utf8'));
      expect([...kernels.keys()].sort()).toEqual(fs.readdirSync(at('b', 'kernels')).sort());
    }
    await compile(GRAPH, { batch: 2 }).write(at('c'), { types: true });
    for (const file of ['manifest.json', 'bundle.d.ts', 'bundle.js']) {
      expect(fs.readFileSync(at('c', file), 'utf8')).toBe(fs.readFileSync(at('b', file), 'utf8'));
    }
  });

  test('prints stages and warnings', () => {
    const odd = {
      version: 1,
      image_size: 16,
      unet: {
        in_channels: 3,
        model_channels: 32,
        out_channels: 3,
        num_res_blocks: 1,
        attention_resolutions: [8],
        channel_mult: [1],
      },
    };
    const compiled = compile(odd);
    expect(compiled.warnings).toMatchObject([{ code: 'G030', severity: 'warning' }]);
    expect(compiled.emit('graph')).toMatch(/^graph unet /);
    expect(compile(odd, { size: 32 }).manifest.image_size).toEqual([32, 32]);
    expect(compile(odd, { size: [32, 48] }).manifest.image_size).toEqual([32, 48]);
  });

  test('tells faults of an object by their pointers, without lines that nobody sees', () => {
    const bad = { ...TINY, image_size: 63, colour: 'red' };
    expect(() => compile(bad)).toThrow(GraphError);
    try {
      compile(bad);
    } catch (error) {
      const { diagnostics, file } = error as GraphError;
      expect(file).toBe('graph');
      expect(diagnostics.map((d) => [d.code, d.pointer, d.position])).toEqual([
        ['G013', '/image_size', undefined],
        ['G008', '/colour', undefined],
      ]);
    }
    expect(() => compile(TEXT.replace('"image_size":[64]', '"image_size":[63]'))).toThrow(
      /\(line 1, column \d+\)/,
    );
  });

  const cycle: Record<string, unknown> = { ...TINY };
  cycle.self = cycle;
  test.each<[string, object | string]>([
    ['a list', []],
    ['a function', () => TINY],
    ['a cycle', cycle],
    ['a bigint', { ...TINY, version: 1n }],
    ['a file that is missing', 'graphs/none.json'],
    ['half a text', TEXT.slice(0, -3)],
  ])('%s is a fault of the graph', (_, graph) => {
    expect(() => compile(graph)).toThrow(GraphError);
  });

  test.each<[Partial<Record<keyof CompileOptions, unknown>>, string]>([
    [{ batch: 0 }, 'batch: found'],
    [{ batch: 1.5 }, 'batch: found'],
    [{ batch: '2' }, 'batch: found'],
    [{ size: [] }, 'size: found'],
    [{ size: 0 }, 'size: found'],
    [{ precision: 'f64' }, 'precision: found'],
    [{ target: 'abacus' }, 'target: found'],
  ])('%o is off', (options, message) => {
    expect(() => compile(TINY, options as CompileOptions)).toThrow(UsageError);
    expect(() => compile(TINY, options as CompileOptions)).toThrow(message);
  });
});

describe('load', () => {
  test('runs a graph, its bundle and its folder alike', async () => {
    const compiled = compile(TINY, { batch: 2, taps: true });
    await compiled.write(at('b'));
    const outputs = [];
    for (const model of [
      await load(TINY, { weights: 'hash:1', reference: true, batch: 2, taps: true }),
      await load(compiled, { weights: 'hash:1', reference: true }),
      await load(at('b'), { weights: 'hash:1', reference: true }),
    ]) {
      expect(model).toMatchObject({ name: 'tiny-1d', notes: [], adapter: 'the reference executor' });
      expect(model.interface).toMatchObject({
        batch: 2,
        in_channels: 2,
        image_size: [64],
        num_classes: null,
        low_res_size: null,
        out_channels: 2,
      });
      const inputPorts = model.interface.inputs.map(({ name, shape }) => `${name} ${shape.join('x')}`);
      expect(inputPorts).toEqual(['x 2x2x64', 'timesteps 2']);
      expect(model.interface.outputs[0]).toMatchObject({ name: 'output', shape: [2, 2, 64] });
      outputs.push(await model.run(inputs(2)));
      await model.close();
    }
    expect(outputs[0]!.output.shape).toEqual([2, 2, 64]);
    expect(Object.keys(outputs[0]!)).toContain('middle');
    expect(outputs[1]).toEqual(outputs[0]);
    expect(outputs[2]).toEqual(outputs[0]);
  });

  test('takes weights that are in memory', async () => {
    const { graph } = loadGraph(TEXT, 'tiny-1d');
    const weights = new Map(
      parameters(graph).map(({ name, shape }) => [name, { shape, data: hashTensor(name, shape, 1) }]),
    );
    const [a, b] = [await tiny({ weights }), await tiny()];
    expect(await a.run(inputs(1))).toEqual(await b.run(inputs(1)));
    const short = new Map([...weights].slice(1));
    await expect(tiny({ weights: short })).rejects.toThrow('1 missing');
    weights.set('out.2.bias', { shape: [2], data: new Float32Array(3) });
    await expect(tiny({ weights })).rejects.toMatchObject({ kind: 'weights' });
  });

  test('samples, each from its own seed', async () => {
    const model = await tiny({ batch: 2 });
    const draw = async (seeds: readonly number[]) => {
      const images = [];
      for await (const { image } of model.sample(
        seeds.map((seed) => ({ seed })),
        { steps: '3' },
      ))
        images.push(image);
      return images;
    };
    const [three, one] = [await draw([7, 8, 9]), await draw([9])];
    expect(three).toHaveLength(3);
    expect(three[0]!.shape).toEqual([2, 64]);
    expect(three[2]).toEqual(one[0]);
    const steps: number[] = [];
    const options = { steps: 'ddim4', onStep: ({ step }: { step: number }) => void steps.push(step) };
    for await (const _ of model.sample([{ seed: 1 }], options));
    expect(steps).toEqual([1, 2, 3, 4]);
    await expect(model.sample([{ seed: 1, label: 3 }]).next()).rejects.toThrow('the model has no classes');
  });

  test.each<[string, object, readonly string[]]>([
    ['nothing', {}, ['x is missing', 'timesteps is missing']],
    ['nulls', { x: null, timesteps: null }, ['x is missing', 'timesteps is missing']],
    ['a bare list', { ...inputs(1), x: [1, 2, 3] }, ['x is no tensor; give { shape, data }']],
    [
      'a list as data',
      { ...inputs(1), x: { shape: [1, 2, 64], data: Array(128).fill(0) } },
      ['x is no tensor'],
    ],
    [
      'too few values',
      { ...inputs(1), x: { shape: [1, 2, 64], data: new Float32Array(5) } },
      ['x has 5 values'],
    ],
    ['another batch', inputs(2), ['x has shape [2, 2, 64], expected [1, 2, 64]', 'timesteps has 2 values']],
    ['a NaN', { ...inputs(1), timesteps: [Number.NaN] }, ['timesteps[0] is NaN']],
    ['labels', { ...inputs(1), y: [1] }, ['y is given, but the model takes only x, timesteps; leave it out']],
  ])('a run with %s rejects', async (_, given, messages) => {
    const model = await tiny();
    const running = model.run(given as Parameters<typeof model.run>[0]);
    await expect(running).rejects.toMatchObject({ name: 'RuntimeError', kind: 'input' });
    for (const message of messages) await expect(running).rejects.toThrow(message);
  });

  test('a closed model runs no more, and closes once', async () => {
    const model = await tiny();
    const running = model.run(inputs(1));
    await Promise.all([model.close(), model.close()]);
    expect((await running).output.data.every(Number.isFinite)).toBe(true);
    await expect(model.run(inputs(1))).rejects.toThrow('the model was closed');
  });

  test('what no type checker has seen is told, and taken for nothing else', async () => {
    const model = await tiny();
    const drawn = async (requests: unknown, options: object) => {
      for await (const _ of model.sample(requests as [], options));
    };
    const one = [{ seed: 0 }];
    await expect(drawn(one, { steps: 2 })).rejects.toThrow("steps: found 2, expected a text, such as '50'");
    await expect(drawn(one, { steps: '2', sampler: 'ddim' })).rejects.toThrow(
      'sampler: its kind is undefined, expected one of ddpm, ddim, dpmpp',
    );
    await expect(drawn(one, { steps: '2', sampler: { kind: 'toString' } })).rejects.toThrow(
      'sampler: its kind is toString',
    );
    await expect(drawn({ seed: 0 }, { steps: '2' })).rejects.toThrow('samples are asked for as a list');
    await expect(drawn([null], { steps: '2' })).rejects.toThrow('samples are asked for as a list');
    await expect(model.run(undefined as never)).rejects.toThrow('x is missing');
    await model.close();
    for (const weights of [undefined, 5, {}] as never[]) {
      await expect(load(TINY, { weights })).rejects.toThrow(/^weights: (found|load needs it)/);
    }
    const noTensor = new Map([['out.2.bias', 5]]) as never;
    await expect(load(TINY, { weights: noTensor })).rejects.toThrow('"out.2.bias" is no tensor');
    const off: readonly [object, string][] = [
      [{ taps: 'no' }, "taps: found 'no', expected true or false"],
      [{ strict: 1 }, "strict: found '1', expected true or false"],
      [{ tuning: 5 }, 'tuning: found 5, expected the path of a file'],
    ];
    for (const [options, message] of off) expect(() => compile(TINY, options)).toThrow(message);
    expect(() => compile(TINY).emit('wgsl' as never)).toThrow(
      'stage: found wgsl, expected one of graph, ops',
    );
  });

  test('faults are those of the parts', async () => {
    const kinds = async (loading: Promise<unknown>) =>
      loading.then(
        () => 'nothing',
        (error: unknown) => (error instanceof RuntimeError ? error.kind : (error as Error).name),
      );
    const compiled = compile(TINY, { batch: 2 });
    expect(await kinds(load({}, { weights: 'hash:1' }))).toBe('GraphError');
    expect(await kinds(load(at('none.json'), { weights: 'hash:1' }))).toBe('GraphError');
    expect(await kinds(load(at(), { weights: 'hash:1' }))).toBe('bundle');
    expect(await kinds(load({ ...compiled, kernels: new Map() }, { weights: 'hash:1' }))).toBe('bundle');
    expect(await kinds(load(compiled, { weights: 'hash:1', batch: 3 }))).toBe('UsageError');
    expect(await kinds(load(compiled, { weights: 'hash:1', batch: 0 }))).toBe('UsageError');
    expect(await kinds(load(compiled, { weights: 'none.pt' }))).toBe('weights');
  });
});
