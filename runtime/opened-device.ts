// A GPU device with the errors that WebGPU reports on the side: asked for, watched and closed. A browser's too.

import {
  type AdapterDescription,
  adapterLine,
  type DeviceRequirements,
  describeAdapter,
  findLacks,
  lacksError,
  limitsOf,
} from './adapter.ts';
import { RuntimeError } from './errors.ts';
import type { Pacing } from './pacing.ts';

export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  /** What was granted, which is what was asked for and no more. */
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  /**
   * Opens another device of the same kind; null where that would not share what the driver compiles. Each is closed
   * before this one.
   */
  readonly twin: (() => Promise<OpenedDevice>) | null;
  /** How its host waits for it. */
  readonly pacing: Pacing;
  /** Resolves when the device is gone: to the error, or to null after `close`. Never rejects. */
  readonly lost: Promise<RuntimeError | null>;
  /** Throws the first error that no guard caught: the loss of the device, an error between two guards. */
  check(): void;
  /** Destroys the device and waits until it is gone. A second call does nothing. */
  close(): Promise<void>;
}

/** What a host knows of the devices that it opens. */
export interface HostFacts {
  /** What the platform's API is called, such as `vulkan`, for those who read of the adapter. */
  readonly backend: string;
  readonly pacing: Pacing;
  /** Opens another device like it, where that would share what the driver compiles. */
  readonly twin?: OpenedDevice['twin'];
}

/**
 * Asks an adapter for a device with exactly what `requires` names.
 *
 * Throws RuntimeError('adapter') where the adapter lacks something (all lacks are named) or refuses.
 */
export async function requestDevice(
  adapter: GPUAdapter,
  requires: DeviceRequirements,
  { backend, pacing, twin = null }: HostFacts,
): Promise<OpenedDevice> {
  const description = describeAdapter(adapter.info, backend);
  const lacks = findLacks({ features: adapter.features, limits: limitsOf(adapter.limits) }, requires);
  if (lacks.length > 0) throw lacksError(description, lacks);
  let device: GPUDevice;
  try {
    // Dawn's binding polls for all promises with one timer, which is as hurried as the promise that started it; the request
    // of a device starts it, and the pipelines that follow are waited for by the same timer
    device = await pacing.unhurried(() =>
      adapter.requestDevice({
        label: 'unetc',
        requiredFeatures: [...requires.features] as GPUFeatureName[],
        requiredLimits: { ...requires.limits },
      }),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    throw new RuntimeError('adapter', `the adapter ${adapterLine(description)} gave no device: ${reason}`, {
      cause: error,
    });
  }
  return watchDevice(device, description, { pacing, twin: description.isFallback ? twin : null });
}

/** A device with the errors that it reports from now on. */
export function watchDevice(
  device: GPUDevice,
  adapter: AdapterDescription,
  { pacing, twin }: Pick<OpenedDevice, 'pacing' | 'twin'>,
): OpenedDevice {
  let failure: RuntimeError | null = null;
  let closing: Promise<void> | null = null;
  device.addEventListener('uncapturederror', (event) => {
    // Dawn prints the error to stdout unless this is called.
    event.preventDefault();
    const message = `the GPU reported an error: ${event.error.message.trim()}`;
    failure ??= new RuntimeError('gpu', message);
  });
  const lost = device.lost.then((info) => {
    if (closing) return null;
    const message = `the GPU device was lost (${info.reason}): ${info.message.trim() || 'the driver gives no reason'}`;
    const error = new RuntimeError('gpu', `${message}; adapter ${adapterLine(adapter)}`);
    // Loss explains whatever was reported before it.
    failure = error;
    return error;
  });
  return {
    device,
    adapter,
    features: new Set(device.features),
    limits: limitsOf(device.limits),
    twin,
    pacing,
    lost,
    check: () => {
      if (failure) throw failure;
    },
    close: () => {
      closing ??= Promise.resolve().then(async () => {
        device.destroy();
        await lost;
      });
      return closing;
    },
  };
}
