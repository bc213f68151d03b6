// The Node API in its own words: whatever a caller without a type checker gives is refused by the name of the option.

import { describe, expect, test } from 'vitest';
import * as api from '../../engine/api.ts';
import { compile, type LoadedModel, load, RuntimeError, UsageError } from '../../engine/api.ts';
import { goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const TINY: object = JSON.parse(goldenGraph('tiny-1d'));
const CLASSES: object = JSON.parse(goldenGraph('tiny-additive-class'));
const opened = (graph = TINY) => load(graph, { weights: 'hash:1', reference: true });

/** Calls with anything, as JavaScript may. */
const any = <T>(value: unknown): T => value as T;

async function refusal(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was refused');
}

async function draw(model: LoadedModel, requests: unknown, options: unknown): Promise<void> {
  for await (const _ of model.sample(any(requests), any(options)));
}

const ONE = [{ seed: 0 }];

describe('calls are refused with a UsageError', () => {
  test.each<[string, () => unknown, string]>([
    ['load(g)', () => load(TINY), "weights: load needs it; give a checkpoint's path"],
    ['load(g, null)', () => load(TINY, any(null)), 'load: found null for its options'],
    [
      'load(g, {})',
      () => load(TINY, any({})),
      "weights: load needs it; give a checkpoint's path, 'hash:SEED' or a Map",
    ],
    ['load(null)', () => load(any(null), { weights: 'hash:1' }), 'model: found null, expected a graph'],
    ['load()', () => load(any(undefined), { weights: 'hash:1' }), 'model: found undefined'],
    ['weights: 5', () => load(TINY, any({ weights: 5 })), 'weights: found 5, expected'],
    ['weights: {}', () => load(TINY, any({ weights: {} })), 'weights: found an object'],
    ["weights: ''", () => load(TINY, { weights: '' }), "weights: found ''"],
    [
      'presicion',
      () => load(TINY, any({ weights: 'hash:1', presicion: 'f16' })),
      "load: there is no option 'presicion'; did you mean precision?",
    ],
    ['wieghts', () => load(TINY, any({ wieghts: 'hash:1' })), 'did you mean weights?'],
    [
      'two that are none',
      () => load(TINY, any({ weights: 'hash:1', bacth: 2, zzz: 1 })),
      "'zzz'; the options are batch, size",
    ],
    [
      'reference: 1',
      () => load(TINY, any({ weights: 'hash:1', reference: 1 })),
      'reference: found 1, expected true or false',
    ],
    [
      'timeout: 1e9',
      () => load(TINY, { weights: 'hash:1', timeout: 1e9 }),
      'timeout: found 1000000000, expected a number of seconds above 0 and at most 2000000, such as 60',
    ],
    [
      'renameMap: true',
      () => load(TINY, any({ weights: 'hash:1', renameMap: true })),
      'renameMap: found true',
    ],
    [
      'classifier: c.json',
      () => load(TINY, any({ weights: 'hash:1', classifier: 'c.json' })),
      "classifier: found 'c.json', expected { model, weights }",
    ],
    [
      'classifier without weights',
      () => load(TINY, any({ weights: 'hash:1', classifier: { model: TINY } })),
      'classifier: expected a model and its weights',
    ],
    [
      'compile(g, null)',
      () => compile(TINY, any(null)),
      'compile: found null for its options, expected an object',
    ],
    ['compile(g, 5)', () => compile(TINY, any(5)), 'compile: found 5 for its options'],
    ['compile(g, [])', () => compile(TINY, any([])), 'compile: found a list of 0'],
    ['compile()', () => compile(any(undefined)), 'graph: found undefined, expected a graph'],
    ["compile('')", () => compile(''), "graph: found ''"],
    ['compile(5)', () => compile(any(5)), 'graph: found 5'],
    [
      'bacth',
      () => compile(TINY, any({ bacth: 2 })),
      "compile: there is no option 'bacth'; did you mean batch?",
    ],
    ['gradient: 1', () => compile(TINY, any({ gradient: 1 })), "gradient: found '1', expected true or false"],
    [
      "emit('bogus')",
      () => compile(TINY).emit(any('bogus')),
      'stage: found bogus, expected one of graph, ops',
    ],
    [
      'write()',
      () => compile(TINY).write(any(undefined)),
      'folder: found undefined, expected the path of a folder',
    ],
    ['write(5)', () => compile(TINY).write(any(5)), 'folder: found 5'],
    [
      'write with an option that is none',
      () => compile(TINY).write(at('b'), any({ type: true })),
      "write: there is no option 'type'; did you mean types?",
    ],
    [
      'write with types that are none',
      () => compile(TINY).write(at('b'), any({ types: 'yes' })),
      "types: found 'yes'",
    ],
  ])('%s', async (_, call, message) => {
    const error = await refusal(call);
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(message);
  });

  test.each<[string, unknown, unknown, string]>([
    ["sampler: 'dpmpp'", ONE, { sampler: 'dpmpp', eta: 1 }, "sample: there is no option 'eta'"],
    ["sampler: 'dpmpp' alone", ONE, { sampler: 'dpmpp' }, "as in { kind: 'dpmpp' }; found 'dpmpp'"],
    [
      'eta of ddpm',
      ONE,
      { sampler: { kind: 'ddpm', eta: 1 } },
      "sampler ddpm: there is no option 'eta'; the options are kind",
    ],
    [
      'eta that is none',
      ONE,
      { sampler: { kind: 'ddim', eta: 'a' } },
      "sampler.eta: found 'a', expected a number of at least 0",
    ],
    ['eta below 0', ONE, { sampler: { kind: 'ddim', eta: -1 } }, 'sampler.eta: found -1'],
    ['steps: 2', ONE, { steps: 2 }, "steps: found 2, expected a text, such as '50'"],
    ['stpes', ONE, { stpes: '2' }, 'did you mean steps?'],
    ['clip: 0', ONE, { clip: 0 }, 'clip: found 0, expected true or false'],
    ['signal: 5', ONE, { signal: 5 }, 'signal: found 5, expected an AbortSignal'],
    ['onStep: {}', ONE, { onStep: {} }, 'onStep: found an object, expected a function'],
    ['classifierScale', ONE, { classifierScale: 'a' }, "classifierScale: found 'a', expected a number"],
    ['guidance: 3', ONE, { guidance: 3 }, 'guidance: found 3, expected { scale, null_class }'],
    ['half of guidance', ONE, { guidance: { scale: 3 } }, 'null_class: guidance needs it'],
    [
      'guidance.nullClass',
      ONE,
      { guidance: { scale: 3, nullClass: 1 } },
      "guidance: there is no option 'nullClass'; did you mean null_class?",
    ],
    ['null options', ONE, null, 'sample: found null for its options'],
    [
      'a key of a request',
      [{ sead: 1 }],
      {},
      "a request of sample: there is no option 'sead'; did you mean seed?",
    ],
    ['no list', { seed: 1 }, {}, 'samples are asked for as a list, such as [{ seed: 0 }]'],
    ['nothing', undefined, {}, 'sample: found undefined; samples are asked for as a list'],
  ])('sample with %s', async (_, requests, options, message) => {
    const model = await opened();
    const error = await refusal(() => draw(model, requests, options));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(message);
  });

  test.each([null, undefined, 5, [1]])('run(%s)', async (inputs) => {
    const model = await opened();
    const error = await refusal(() => model.run(any(inputs)));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(
      /^inputs: found .*, expected \{ x, timesteps \}: x is missing, timesteps is missing$/,
    );
  });

  test.each<[string, () => unknown, string]>([
    ['validate(5)', () => api.validate(any(5)), 'graph: found 5'],
    [
      'validate with an option that is none',
      () => api.validate(TINY, any({ sise: 8 })),
      'did you mean size?',
    ],
    ['stats with taps', () => api.stats(TINY, any({ taps: true })), "stats: there is no option 'taps'"],
    [
      'diff(a)',
      () => api.diff(TINY, any(undefined)),
      'b: found undefined, expected a graph, a bundle, a checkpoint or git:REF:PATH',
    ],
    [
      'diff with failOn',
      () => api.diff(TINY, TINY, any({ failOn: 'all' })),
      "failOn: found 'all', expected one of breaking",
    ],
    ['diff with a target', () => api.diff(TINY, TINY, { target: 'abacus' }), "target: found 'abacus'"],
    [
      'infer()',
      () => api.infer(any(undefined)),
      'checkpoint: found undefined, expected the path of a checkpoint',
    ],
    ['check(g)', () => api.check(TINY, any(undefined)), 'checkpoint: found undefined'],
    [
      'check with strict',
      () => api.check(TINY, 'a.pt', any({ strict: 1 })),
      "check: there is no option 'strict'",
    ],
    ['importDiffusers()', () => api.importDiffusers(any(undefined)), 'folder: found undefined'],
    ['importDiffusers with sise', () => api.importDiffusers('d', any({ sise: 8 })), 'did you mean size?'],
    ['importDiffusers with a size', () => api.importDiffusers('d', { size: 0 }), 'size: found'],
    ['importDiffusers with a name', () => api.importDiffusers('d', any({ name: 5 })), 'name: found 5'],
    ['inputs(null)', () => api.inputs(any(null)), 'model: found null'],
    [
      'inputs with seeds',
      () => api.inputs(TINY, any({ seeds: 3 })),
      'seeds: found 3, expected a list of whole numbers',
    ],
    [
      'inputs with labels',
      () => api.inputs(TINY, any({ labels: [1] })),
      "there is no option 'labels'; the options are batch",
    ],
    ['initialWeights()', () => api.initialWeights(any(undefined)), 'graph: found undefined'],
    [
      'initialWeights(g, 3)',
      () => api.initialWeights(TINY, any(3)),
      'initialWeights: found 3 for its options',
    ],
    [
      'initialWeights with sead',
      () => api.initialWeights(TINY, any({ sead: 3 })),
      "initialWeights: there is no option 'sead'; did you mean seed?",
    ],
    [
      'initialWeights with a seed that is none',
      () => api.initialWeights(TINY, any({ seed: '3' })),
      "seed: found '3', expected a whole number from 0 to",
    ],
    [
      'openData()',
      () => api.openData(any(undefined), { graph: TINY }),
      'place: found undefined, expected the path',
    ],
    [
      'openData(p)',
      () => api.openData('p', any(undefined)),
      'openData: found undefined for its options, expected { graph: … }',
    ],
    ['openData without a graph', () => api.openData('p', any({ flip: true })), 'graph: openData needs it'],
    [
      'openData with no graph',
      () => api.openData('p', any({ graph: 5 })),
      'graph: found 5, expected a graph',
    ],
    [
      'openData with lables',
      () => api.openData('p', any({ graph: TINY, lables: 'names' })),
      "openData: there is no option 'lables'; did you mean labels?",
    ],
    ['openData with a size', () => api.openData('p', { graph: TINY, size: 0 }), 'size: found [0]'],
    [
      'openData with flip',
      () => api.openData('p', any({ graph: TINY, flip: 1 })),
      'flip: found 1, expected true',
    ],
    [
      'openData with a background',
      () => api.openData('p', any({ graph: TINY, background: 0 })),
      'background: found 0, expected a colour such as #ffffff',
    ],
    [
      'openData with workers',
      () => api.openData('p', any({ graph: TINY, workers: '2' })),
      'workers: found 2',
    ],
    ['openData with a signal', () => api.openData('p', any({ graph: TINY, signal: 1 })), 'signal: found 1'],
    ['batchesBy()', () => api.batchesBy(any(undefined)), 'make: found undefined, expected a function'],
    [
      'steps()',
      () => api.batchesBy(any(() => 1)).steps(any(undefined)),
      'steps: found undefined for its options',
    ],
    [
      'steps without a batch',
      () => api.batchesBy(any(() => 1)).steps(any({ from: 3 })),
      'batch: steps needs it; give a whole number from 1',
    ],
    ['steps from -1', () => api.batchesBy(any(() => 1)).steps({ batch: 1, from: -1 }), 'from: found -1'],
    [
      'inputs with two counts',
      () => api.inputs(TINY, { seeds: [1, 2], batch: 3 }),
      'seeds names 2 and batch has 3',
    ],
  ])('%s', async (_, call, message) => {
    const error = await refusal(call);
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(message);
  });

  test('encode', async () => {
    const model = await opened();
    const image = new Float32Array(128);
    const next = (images: unknown, options?: unknown) =>
      refusal(() => model.encode(any(images), any(options)).next());
    expect((await next([{ image: [0] }])).message).toContain(
      'image: found a list of 1, expected a Float32Array',
    );
    expect((await next([{}])).message).toContain('image: a request of encode needs it');
    expect((await next([{ image }], { refine: -1 })).message).toContain(
      'refine: found -1, expected a whole number',
    );
    expect((await next([{ image }], { sampler: {} })).message).toContain(
      "encode: there is no option 'sampler'",
    );
    const short = await next([{ image: new Float32Array(3) }]);
    expect(short).toBeInstanceOf(RuntimeError);
    expect(short.message).toBe('image 0: it has 3 values, and [2, 64] takes 128');
    const holed = Float32Array.from(image).fill(Number.NaN, 5, 6);
    expect((await next([{ image: holed }])).message).toBe('image 0: it holds NaN at element 5');
  });
});

test('undefined is as if an option were not given', async () => {
  const options = {
    batch: undefined,
    taps: undefined,
    reference: true,
    weights: 'hash:1',
    classifier: undefined,
  };
  await load(TINY, options);
  await draw(await opened(), ONE, { steps: '2', sampler: undefined, guidance: undefined, signal: undefined });
});

test('eta is what the sampler says where it is not given', async () => {
  const model = await opened();
  const images = [];
  for (const sampler of [{ kind: 'ddim' }, { kind: 'ddim', eta: 0 }, { kind: 'ddim', eta: undefined }])
    for await (const { image } of model.sample(ONE, { steps: '3', sampler: any(sampler) }))
      images.push(image);
  expect(images[1]).toEqual(images[0]);
  expect(images[2]).toEqual(images[0]);
});

test('a model closes at the end of its block', async () => {
  const model = await opened();
  await model[Symbol.asyncDispose]();
  await expect(model.run(any({}))).rejects.toThrow('the model was closed');
});

test('labels that are out of range are told as those of the model', async () => {
  await expect(draw(await opened(CLASSES), [{ seed: 0, label: 99 }], { steps: '2' })).rejects.toMatchObject({
    name: 'RuntimeError',
    kind: 'input',
  });
});
