// Every bundle of the generic target on Dawn's null backend with the default limits of WebGPU: all kernels compile,
// all dispatches bind, and the whole pass is valid.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CompileOptions, compileGraph } from '../../../compiler/compile.ts';
import { blocksOf, type Graph } from '../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { AMD, APPLE, DEFAULT_LIMITS, HALF, INTEL, NVIDIA } from '../../../compiler/target.ts';
import type { Bundle } from '../../../runtime/bundle.ts';
import { checkManifest } from '../../../runtime/bundle-check.ts';
import { guard } from '../../../runtime/guard.ts';
import { openNullDevice } from '../../../runtime/host/node/dawn.ts';
import { allocate } from '../../../runtime/memory.ts';
import type { OpenedDevice } from '../../../runtime/opened-device.ts';
import { createPipelineCache, type PipelineCache } from '../../../runtime/pipelines.ts';
import { ALL_NAMES, goldenGraph } from '../../golden-cases.ts';
import { goldenTraining } from '../../training-cases.ts';

const PUBLISHED = [
  'cifar10',
  'imagenet64',
  'imagenet64-cond',
  'lsun256',
  'upsample256',
  'mnist',
  'mnist-sr',
  'ddpm-cifar10-32',
  'ddpm-celebahq-256',
] as const;

/** Large models that share their kernels: each once; adm512 binds activations beyond the default limits. */
const ONCE = [
  'adm64',
  'adm128',
  'adm256',
  'adm-upsample256',
  'adm64-classifier',
  'adm256-classifier',
] as const;

/** The targets whose products are those of matrix units. */
const MATRIX_TARGETS = [NVIDIA, AMD, INTEL, APPLE];

/** Texts that were seen to be valid. */
const judged = new Set<string>();

let opened: OpenedDevice;
let matrices: OpenedDevice;
let pipelines: PipelineCache;
beforeAll(async () => {
  opened = await openNullDevice();
  const features = [...new Set(MATRIX_TARGETS.flatMap((target) => target.features))];
  matrices = await openNullDevice({ features, limits: {} });
  pipelines = createPipelineCache(opened.device);
});
afterAll(async () => {
  await opened.close();
  await matrices.close();
});

/** Encodes a whole forward pass; the null backend checks it and computes nothing. */
async function encodePass({ manifest, kernels }: Bundle): Promise<void> {
  const { device } = opened;
  const compiled = await Promise.all(
    manifest.kernels.map(({ file }) => pipelines.get(file, kernels.get(file)!)),
  );
  await guard(device, `a pass of ${manifest.name}`, () => {
    const memory = allocate(manifest, device);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    manifest.dispatches.forEach(({ kernel, bindings, workgroups }, i) => {
      const pipeline = compiled[kernel]!;
      const uniform = memory.sizes[i]!;
      const bound = bindings.map((binding) =>
        binding.kind === 'slot' ? memory.slots[binding.slot]! : memory.weights[binding.weights]!,
      );
      const entries = [uniform, ...bound].map((resource, binding) => ({ binding, resource }));
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(...workgroups);
    });
    pass.end();
    device.queue.submit([encoder.finish()]);
    memory.destroy();
  });
  opened.check();
}

/** Bytes of the arrays that a kernel declares in workgroup memory. */
function workgroupBytes(wgsl: string): number {
  const consts = new Map(
    [...wgsl.matchAll(/^const (\w+) = ([^;]*);/gm)].map(([, name, text]) => [name!, text!]),
  );
  const evaluate = (text: string): number => {
    const plain = text.replace(/\b(\d+)u\b/g, '$1');
    const known = plain.replace(/[A-Z]\w*/g, (name) => `(${evaluate(consts.get(name)!)})`);
    return Number(new Function(`return ${known}`)());
  };
  const sizes = {
    f32: 4,
    i32: 4,
    vec2f: 8,
    vec4f: 16,
    vec4u: 16,
    Staged: wgsl.includes('alias Staged = vec4h') ? 8 : 16,
  };
  const arrays = [...wgsl.matchAll(/^var<workgroup> \w+: array<(\w+), ([^>]*)>;/gm)];
  return arrays.reduce(
    (sum, [, type, count]) => sum + sizes[type as keyof typeof sizes] * evaluate(count!),
    0,
  );
}

function published(name: string): Graph {
  return loadGraph(readFileSync(new URL(`../../../graphs/${name}.json`, import.meta.url), 'utf8'), name)
    .graph;
}

/** The same bindings over little memory: the null backend has half a gigabyte. */
function inLittleMemory(bundle: Bundle): Bundle {
  const { manifest } = bundle;
  const small = {
    arenas: [4096],
    weights: manifest.weights.map((blob) => ({ ...blob, arena: 0, offset: 0, length: 1024 })),
    slots: manifest.slots.map((slot) => ({ ...slot, bytes: 4096 })),
  };
  return { ...bundle, manifest: { ...manifest, ...small } };
}

async function checkBundle(graph: Graph, options: CompileOptions): Promise<void> {
  const { bundle } = compileGraph(graph, options);
  const { manifest } = bundle;
  expect(checkManifest(manifest)).toEqual([]);
  expect(manifest.requires.features).toEqual([]);
  for (const [name, value] of Object.entries(manifest.requires.limits)) {
    expect(value, name).toBeLessThanOrEqual(DEFAULT_LIMITS[name as keyof typeof DEFAULT_LIMITS]);
  }
  const { activations, weights } = manifest.memory;
  await encodePass(activations + weights < 2 ** 28 ? bundle : inLittleMemory(bundle));
}

/** Compiles the kernels of a bundle for matrix units: the null backend has less workgroup memory, so that pipelines cannot be made. */
async function checkModules({ kernels }: Bundle): Promise<void> {
  for (const [file, wgsl] of kernels) {
    if (judged.has(wgsl)) continue;
    judged.add(wgsl);
    const module = matrices.device.createShaderModule({ code: wgsl });
    const { messages } = await module.getCompilationInfo();
    expect(messages.map(({ message, lineNum }) => `${file}:${lineNum}: ${message}`)).toEqual([]);
  }
  matrices.check();
}

const variants: readonly (readonly [string, CompileOptions])[] = [
  ['fused', {}],
  ['unfused', { fuse: false }],
  ['in float16', { precision: 'f16' }],
  ['with taps at batch 3', { taps: true, batch: 3 }],
];

describe.each(ALL_NAMES)('golden %s', (name) => {
  const { graph } = loadGraph(goldenGraph(name), name);
  test.each(variants)('%s', (_, options) => checkBundle(graph, options));
});

describe.each(PUBLISHED)('published %s', (name) => {
  test('fused', () => checkBundle(published(name), {}));
  test('with taps', () => checkBundle(published(name), { taps: true }));
  test('in float16', () => checkBundle(published(name), { precision: 'f16' }));
});

test.each(ONCE)('published %s, fused', (name) => checkBundle(published(name), {}));

describe.each(MATRIX_TARGETS)('matrix units of $name', (target) => {
  test.each(
    target === NVIDIA
      ? (['cifar10', 'imagenet64', 'lsun256', 'mnist'] as const)
      : (['cifar10', 'imagenet64'] as const),
  )(
    'published %s: every kernel is valid, within its workgroup memory, and 120 dispatches of 40 kernels are all, or 200 of 45 with slices',
    async (name) => {
      for (const batch of [1, 64]) {
        const throughput = batch > 1;
        const { bundle } = compileGraph(published(name), { target, precision: 'f16', batch, throughput });
        const { manifest, kernels } = bundle;
        const most = target.limits.maxComputeWorkgroupStorageSize;
        expect(checkManifest(manifest)).toEqual([]);
        expect(manifest.requires.features).toEqual(target.features);
        expect(manifest.requires.limits.maxComputeWorkgroupStorageSize).toBe(most);
        await checkModules(bundle);
        for (const [file, wgsl] of kernels) expect(workgroupBytes(wgsl), file).toBeLessThanOrEqual(most);
        expect(manifest.dispatches.length).toBeLessThanOrEqual(throughput ? 120 : 200);
        expect(manifest.kernels.length).toBeLessThanOrEqual(throughput ? 40 : 45);
      }
    },
  );
});

test('the matrices of AMD are NVIDIA’s by subgroups of the lanes that are asked for', () => {
  // how many slices a map is computed in depends on a machine's pace
  const texts = [AMD, { ...NVIDIA, pace: AMD.pace }].map((target) => {
    const { kernels } = compileGraph(published('cifar10'), { target, precision: 'f16' }).bundle;
    return [...kernels.values()].filter((wgsl) => wgsl.includes('subgroup_matrix'));
  });
  const [amd, nvidia] = texts.map((all) => all.sort());
  const unpinned = (wgsl: string) =>
    wgsl.replace('enable subgroup_size_control;\n', '').replace('@subgroup_size(32) ', '');
  expect(amd!.every((wgsl) => wgsl.includes('@compute @subgroup_size(32) @workgroup_size('))).toBe(true);
  expect(amd!.map(unpinned).sort()).toEqual(nvidia);
});

test.each(['cifar10', 'mnist'] as const)('published %s in float16 arithmetic', async (name) => {
  const { bundle } = compileGraph(published(name), { target: HALF, precision: 'f16' });
  expect(bundle.manifest.requires.features).toEqual(['shader-f16']);
  expect([...bundle.kernels.values()].some((wgsl) => wgsl.includes('alias Staged = vec4h;'))).toBe(true);
  for (const [file, wgsl] of bundle.kernels) {
    const { messages } = await matrices.device.createShaderModule({ code: wgsl }).getCompilationInfo();
    expect(messages.map(({ message, lineNum }) => `${file}:${lineNum}: ${message}`)).toEqual([]);
    expect(workgroupBytes(wgsl), file).toBeLessThanOrEqual(16384);
  }
});

describe.each(['hybrid', 'additive-class', 'previous-x-pool'])('a step of %s in float16', (name) => {
  const { graph, batch } = goldenTraining(name);
  const training = { averages: 1, accumulates: true };
  const precision = 'f16';

  test('in one piece', () =>
    checkBundle(graph, { batch, precision, training: { ...training, accumulates: false } }));

  test('with microbatches, dropout, and all blocks computed again', () =>
    checkBundle(graph, { batch, precision, training, dropout: true, recomputed: blocksOf(graph) }));

  test.each([NVIDIA, HALF])('for $name', async (target) => {
    const { bundle } = compileGraph(graph, { batch, precision, training, dropout: true, target });
    expect(checkManifest(bundle.manifest)).toEqual([]);
    expect(bundle.manifest.requires.features).toEqual(target.features);
    await checkModules(bundle);
  });
});

test('float32 is computed without matrix units, and asks for nothing', () => {
  const { manifest } = compileGraph(published('mnist'), { target: NVIDIA }).bundle;
  expect(manifest).toMatchObject({ target: 'nvidia', requires: { features: [] } });
  expect(manifest.kernels.filter(({ file }) => file.includes('matrix'))).toEqual([]);
});

test('a dispatch that binds a buffer too many is found', async () => {
  const { bundle } = compileGraph(published('mnist'), {});
  const [first, ...rest] = bundle.manifest.dispatches;
  const more = { ...first!, bindings: [...first!.bindings, first!.bindings[0]!] };
  const manifest = { ...bundle.manifest, dispatches: [more, ...rest] };
  await expect(encodePass({ ...bundle, manifest })).rejects.toThrow(/a pass of mnist/);
});
