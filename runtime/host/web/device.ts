// Devices of a browser, of Deno, or of any other place whose `navigator` has a `gpu`: opened here, or taken as the page
// has opened them.

import { type DeviceRequirements, describeAdapter, findLacks, lacksError, limitsOf } from '../../adapter.ts';
import { RuntimeError } from '../../errors.ts';
import { type OpenedDevice, requestDevice, watchDevice } from '../../opened-device.ts';
import { UNPACED } from '../../pacing.ts';

/** What the adapter's description says of the platform, which no page is told more of. */
const BACKEND = 'WebGPU';

export interface WebDeviceOptions {
  /** What a bundle asks for, its `manifest.requires`; not given, what WebGPU grants everywhere. */
  readonly requires?: DeviceRequirements;
  /** Where devices come from; not given, `navigator.gpu`. */
  readonly gpu?: GPU | undefined;
  /** Which adapter the browser should prefer where there are two. */
  readonly powerPreference?: GPUPowerPreference;
  /** Seconds without a sign of life after which work is given up; null for those that suit the work. */
  readonly timeout?: number | null;
}

/** Throws RuntimeError('adapter') where there is no WebGPU. */
export function checkWebGPU(gpu: GPU | undefined = gpuHere()): asserts gpu is GPU {
  if (gpu !== undefined) return;
  throw new RuntimeError(
    'adapter',
    'there is no WebGPU here (no navigator.gpu); use a browser that has it, and a page served by https or localhost',
  );
}

/** The WebGPU of the host; undefined where it has none. */
function gpuHere(): GPU | undefined {
  return (globalThis as { readonly navigator?: { readonly gpu?: GPU } }).navigator?.gpu;
}

/**
 * Opens a device with exactly the features and limits of `requires`. Throws RuntimeError('adapter') where there is no
 * WebGPU, no adapter, or one that lacks something.
 */
export async function openWebDevice({
  requires = { features: [], limits: {} },
  gpu = gpuHere(),
  powerPreference = 'high-performance',
  timeout = null,
}: WebDeviceOptions = {}): Promise<OpenedDevice> {
  checkWebGPU(gpu);
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (adapter === null) {
    throw new RuntimeError('adapter', 'no GPU adapter: the browser knows none that it lets pages use');
  }
  return requestDevice(adapter, requires, { backend: BACKEND, pacing: UNPACED, timeout });
}

/**
 * Takes a device that the caller has opened, for models beside whatever else it draws. `close` forgets the device and
 * leaves it open. Throws RuntimeError('adapter') where it lacks something of `requires`.
 */
export function takeWebDevice(
  device: GPUDevice,
  requires: DeviceRequirements,
  { timeout = null }: Pick<WebDeviceOptions, 'timeout'> = {},
): OpenedDevice {
  const description = describeAdapter(device.adapterInfo, BACKEND);
  const lacks = findLacks({ features: device.features, limits: limitsOf(device.limits) }, requires);
  if (lacks.length > 0) throw lacksError(description, lacks);
  const watched = watchDevice(device, description, { pacing: UNPACED, timeout, twin: null });
  return { ...watched, close: () => Promise.resolve() };
}
