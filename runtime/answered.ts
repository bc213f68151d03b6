// What a device answers, by promises or in memory that it mapped: where it is lost meanwhile, it rejects and throws in words
// of its own.

import { RuntimeError } from './errors.ts';
import type { OpenedDevice } from './opened-device.ts';

/** Milliseconds in which a device that is gone is known to be. */
const LOSS_IS_TOLD = 500;

/** A browser may reject what waits for a device before it tells that the device is lost, which is what callers should know. */
export async function toldOfLoss({ lost }: Pick<OpenedDevice, 'lost'>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waited = new Promise((resolve) => {
    timer = setTimeout(resolve, LOSS_IS_TOLD);
  });
  await Promise.race([lost, waited]);
  clearTimeout(timer);
}

/**
 * Waits for what `ask` asks of the device. What WebGPU throws becomes RuntimeError('gpu'), which says that the device was lost
 * where it was, and else what was being done.
 */
export async function answered<T>(
  opened: Pick<OpenedDevice, 'lost' | 'check'>,
  what: string,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    await toldOfLoss(opened);
    opened.check();
    throw new RuntimeError('gpu', `${what}: ${error.message || error.name}`, { cause: error });
  }
}
