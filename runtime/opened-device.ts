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
import { createPipelineCache, type PipelineCache } from './pipelines.ts';

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
  /** What was compiled for it, by this model and by those before. */
  readonly pipelines: PipelineCache;
  /** How its host waits for it. */
  readonly pacing: Pacing;
  /** Memory for a result that is written whole: of its host's, where that has some without zeros. */
  allocate(bytes: number): ArrayBuffer;
  /** Seconds without a sign of life after which work on it is given up; null for those that suit the work. */
  readonly timeout: number | null;
  /** Resolves when the device is gone or given up: to the error, or to null after `close`. Never rejects. */
  readonly lost: Promise<RuntimeError | null>;
  /** Throws the first error that no guard caught: the loss of the device, an error between two guards. */
  check(): void;
  /**
   * Gives up the device, which hangs: from now on `check` throws `error`, and `close` leaves the device as it is, for
   * what destroys one waits until it has done its work.
   */
  abandon(error: RuntimeError): void;
  /** Destroys the device and waits until it is gone. A second call does nothing. */
  close(): Promise<void>;
}

/** What a host knows of the devices that it opens. */
export interface HostFacts {
  /** What the platform's API is called, such as `vulkan`, for those who read of the adapter. */
  readonly backend: string;
  readonly pacing: Pacing;
  /** Memory that nobody has written zeros to; default: memory with zeros. */
  readonly allocate?: OpenedDevice['allocate'] | undefined;
  /** Opens another device like it, where that would share what the driver compiles. */
  readonly twin?: OpenedDevice['twin'];
  readonly timeout?: number | null;
  /** What the host changes about a device before anybody uses it. */
  readonly prepare?: (device: GPUDevice) => void;
}

/**
 * Asks an adapter for a device with exactly what `requires` names.
 *
 * Throws RuntimeError('adapter') where the adapter lacks something (all lacks are named) or refuses.
 */
export async function requestDevice(
  adapter: GPUAdapter,
  requires: DeviceRequirements,
  { backend, pacing, allocate, timeout = null, twin = null, prepare }: HostFacts,
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
  prepare?.(device);
  return watchDevice(device, description, {
    pacing,
    allocate,
    timeout,
    twin: description.isFallback ? twin : null,
  });
}

/** A lost device takes all that was on it with it. */
const AFTER_LOSS =
  'open the model again, on another device; where that one is lost, too, take a smaller batch, or a newer driver';

/** Memory as JavaScript gives it. */
function zeroed(bytes: number): ArrayBuffer {
  return new ArrayBuffer(bytes);
}

/** A device with the errors that it reports from now on. */
export function watchDevice(
  device: GPUDevice,
  adapter: AdapterDescription,
  {
    pacing,
    timeout,
    twin,
    allocate = zeroed,
  }: Pick<OpenedDevice, 'pacing' | 'timeout' | 'twin'> & Pick<HostFacts, 'allocate'>,
): OpenedDevice {
  const reported: Reported = { first: null };
  let failure: RuntimeError | null = null;
  let isAbandoned = false;
  let closing: Promise<void> | null = null;
  device.addEventListener('uncapturederror', keepFirst(reported));
  let giveUp: (error: RuntimeError) => void = () => {};
  const abandoned = new Promise<RuntimeError>((resolve) => {
    giveUp = resolve;
  });
  const gone = device.lost.then((info) => {
    if (closing) return null;
    const message = `the GPU device was lost (${info.reason}): ${info.message.trim() || 'the driver gives no reason'}`;
    const error = new RuntimeError('gpu', `${message}; adapter ${adapterLine(adapter)}; ${AFTER_LOSS}`);
    // Loss explains whatever was reported before it.
    failure = error;
    return error;
  });
  const lost = Promise.race([gone, abandoned]);
  return {
    device,
    adapter,
    features: new Set(device.features),
    limits: limitsOf(device.limits),
    twin,
    pipelines: createPipelineCache(device),
    pacing,
    allocate,
    timeout,
    lost,
    check: () => {
      const error = failure ?? reported.first;
      if (error) throw error;
    },
    abandon: (error) => {
      failure = error;
      isAbandoned = true;
      giveUp(error);
    },
    close: () => {
      closing ??= Promise.resolve().then(async () => {
        if (isAbandoned) return;
        device.destroy();
        await lost;
      });
      return closing;
    },
  };
}

/** What Dawn told of on the side. */
interface Reported {
  first: RuntimeError | null;
}

/**
 * A listener that keeps the first error. It is made where no device is in reach: Dawn's binding holds on to listeners,
 * and one that holds on to its device keeps that, with its threads and memory, for as long as the process lives. An error
 * of elsewhere holds on to one, too: it has the functions of its stack until somebody reads that.
 */
function keepFirst(reported: Reported): (event: GPUUncapturedErrorEvent) => void {
  return (event) => {
    // Dawn prints the error to stdout unless this is called.
    event.preventDefault();
    const message = `the GPU reported an error: ${event.error.message.trim()}`;
    reported.first ??= new RuntimeError('gpu', message);
  };
}
