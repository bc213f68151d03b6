// The first run of every kernel, on Dawn's null backend: all on one device where that is fast, shared with a second one
// where it is slow.

import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { findTarget } from '../../compiler/target.ts';
import { openNullDevice } from '../../runtime/host/node/dawn.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import { createPipelineCache } from '../../runtime/pipelines.ts';
import { type Dispatchable, warmUp } from '../../runtime/warm-up.ts';
import type { Watchdog } from '../../runtime/watchdog.ts';
import { goldenGraph } from '../golden-cases.ts';

const { bundle } = compileGraph(loadGraph(goldenGraph('tiny-film'), 'tiny-film').graph, {
  target: findTarget('generic')!,
});
const { manifest } = bundle;

/** A watchdog that is content with everything. */
const watchdog: Watchdog = { seconds: 60, until: (work) => work, alive: () => undefined };

let opened: OpenedDevice;
let first: (kernel: number) => Promise<Dispatchable>;
beforeAll(async () => {
  opened = await openNullDevice();
  const all = await dispatchables(opened.device);
  first = async (kernel) => all[kernel]!;
});
afterAll(() => opened.close());
afterEach(() => {
  vi.restoreAllMocks();
});

async function dispatchables(device: GPUDevice): Promise<readonly Dispatchable[]> {
  const cache = createPipelineCache(device);
  const pipelines = await Promise.all(
    manifest.kernels.map(({ file }) => cache.get(file, bundle.kernels.get(file)!)),
  );
  return pipelines.map((pipeline, kernel) => {
    const { sizes, bindings } = manifest.dispatches.find((one) => one.kernel === kernel)!;
    const uniform = device.createBuffer({ size: sizes.length * 4, usage: GPUBufferUsage.UNIFORM });
    const buffers = bindings.map(() => device.createBuffer({ size: 4096, usage: GPUBufferUsage.STORAGE }));
    const entries = [uniform, ...buffers].map((buffer, binding) => ({ binding, resource: { buffer } }));
    return {
      pipeline,
      bindGroup: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
    };
  });
}

/** A clock by which every first run takes so long. */
function everyRunTakes(ms: number): void {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += ms;
    return now;
  });
}

function submitsOf(device: GPUDevice) {
  return vi.spyOn(device.queue, 'submit');
}

it('runs every kernel once where that is fast', async () => {
  everyRunTakes(1);
  const submits = submitsOf(opened.device);
  const twin = vi.fn(() => openNullDevice());
  await warmUp(bundle, first, { ...opened, twin }, watchdog);
  expect(submits).toHaveBeenCalledTimes(manifest.kernels.length);
  expect(twin).not.toHaveBeenCalled();
});

it('does not take what is copied before a kernel for compiling', async () => {
  let now = 0;
  let calls = 0;
  let copied = Promise.resolve();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.spyOn(opened.device.queue, 'onSubmittedWorkDone').mockImplementation(async () => {
    if (calls++ % 2 === 0) {
      copied = copied.then(() => {
        now += 1000;
      });
    }
    await copied;
    return undefined;
  });
  const twin = vi.fn(() => openNullDevice());
  await warmUp(bundle, first, { ...opened, twin }, watchdog);
  expect(now).toBe(1000 * manifest.kernels.length);
  expect(twin).not.toHaveBeenCalled();
});

it('shares them with a second device where the driver compiles, and closes it', async () => {
  everyRunTakes(1000);
  const submits = submitsOf(opened.device);
  const second = await openNullDevice();
  const others = submitsOf(second.device);
  const close = vi.fn(() => second.close());
  const twin = vi.fn(async () => ({ ...second, close }));
  await warmUp(bundle, first, { ...opened, twin }, watchdog);
  expect(twin).toHaveBeenCalledOnce();
  expect(others.mock.calls.length).toBeGreaterThan(0);
  expect(submits.mock.calls.length + others.mock.calls.length).toBe(manifest.kernels.length);
  expect(close).toHaveBeenCalledOnce();
  second.check();
});

it('does without a second device where there is none, or where it fails', async () => {
  everyRunTakes(1000);
  const submits = submitsOf(opened.device);
  await warmUp(bundle, first, { ...opened, twin: null }, watchdog);
  expect(submits).toHaveBeenCalledTimes(manifest.kernels.length);
  const refusing = () => Promise.reject(new Error('no second device'));
  await warmUp(bundle, first, { ...opened, twin: refusing }, watchdog);
  expect(submits).toHaveBeenCalledTimes(2 * manifest.kernels.length);
});
