// Devices from a given `GPU`: Dawn's null backend stands for a browser's, and a model is opened on it.

import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { create } from 'webgpu';
import { compile } from '../../../../engine/api.ts';
import { adapterLine, describeAdapter } from '../../../../runtime/adapter.ts';
import { openWebDevice, takeWebDevice } from '../../../../runtime/host/web/device.ts';
import { createProgram } from '../../../../runtime/program.ts';
import { denoiserOf } from '../../../../runtime/sampler/denoiser.ts';
import { hashWeights } from '../../../../runtime/weights/hash.ts';
import { matchWeights } from '../../../../runtime/weights/match.ts';
import { defineDawnGlobals } from '../../../fixtures/dawn-globals.ts';

let gpu: GPU;
beforeAll(() => {
  defineDawnGlobals();
  gpu = create(['backend=null']);
});
afterEach(() => vi.unstubAllGlobals());

describe('a device', () => {
  test('is opened with what is required and no more', async () => {
    const opened = await openWebDevice({ gpu, requires: { features: ['shader-f16'], limits: {} } });
    expect(opened.features.has('shader-f16')).toBe(true);
    expect(opened.features.has('timestamp-query')).toBe(false);
    expect(opened.adapter.backend).toBe('WebGPU');
    expect(opened.twin).toBeNull();
    await opened.close();
    expect(await opened.lost).toBeNull();
  });

  test('comes from navigator.gpu where none is given', async () => {
    vi.stubGlobal('navigator', { gpu });
    const opened = await openWebDevice();
    await opened.close();
    vi.stubGlobal('navigator', {});
    await expect(openWebDevice()).rejects.toThrow('there is no WebGPU here (no navigator.gpu)');
  });

  test('an adapter that is missing or lacks something is an adapter fault', async () => {
    const none = { requestAdapter: async () => null } as unknown as GPU;
    await expect(openWebDevice({ gpu: none })).rejects.toMatchObject({ kind: 'adapter' });
    const requires = { features: ['no-such-feature'], limits: { maxBindGroups: 5 } };
    await expect(openWebDevice({ gpu, requires })).rejects.toThrow(
      /feature no-such-feature[\s\S]*maxBindGroups/,
    );
  });

  test('is called by its driver where its names are numbers', () => {
    const numbered = { vendor: '65541', architecture: '', device: '0', description: 'llvmpipe (LLVM 15)' };
    const info = { ...numbered, isFallbackAdapter: true } as GPUAdapterInfo;
    expect(adapterLine(describeAdapter(info, 'WebGPU'))).toBe('llvmpipe (LLVM 15), WebGPU, software');
    const named = describeAdapter({ ...info, device: 'Arc' } as GPUAdapterInfo, 'WebGPU');
    expect(adapterLine(named)).toBe('Arc (llvmpipe (LLVM 15)), WebGPU, software');
  });

  test('waits by its promises alone', async () => {
    const opened = await openWebDevice({ gpu });
    const start = vi.fn(async () => 3);
    const waiting = opened.pacing.createPause(true).until(start);
    expect(start).toHaveBeenCalledTimes(1);
    expect(await waiting).toBe(3);
    expect(opened.pacing.unhurried(() => globalThis.setImmediate)).toBe(globalThis.setImmediate);
    await opened.close();
  });

  test('of the caller stays open, and is checked', async () => {
    const adapter = await gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    const taken = takeWebDevice(device, { features: [], limits: { maxBindGroups: 4 } });
    await taken.close();
    const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
    await device.queue.onSubmittedWorkDone();
    taken.check();
    buffer.destroy();
    expect(() => takeWebDevice(device, { features: ['shader-f16'], limits: {} })).toThrow(
      'feature shader-f16: required, not offered',
    );
    device.destroy();
  });
});

test('a model runs on it', async () => {
  const bundle = compile('graphs/mnist.json');
  const weights = matchWeights(bundle.manifest.parameters, hashWeights('hash:1')!);
  const opened = await openWebDevice({ gpu, requires: bundle.manifest.requires });
  const program = await createProgram(bundle, weights.read, opened);
  const { batch, in_channels, out_channels, image_size } = denoiserOf(program.interface);
  const shape = [batch, in_channels, ...image_size];
  const data = new Float32Array(shape.reduce((a, b) => a * b));
  const results = await program.run({ x: { shape, data }, timesteps: [1], y: [3] });
  expect(results.get('output')!.shape).toEqual([1, out_channels, ...image_size]);
  program.close();
  await opened.close();
});
