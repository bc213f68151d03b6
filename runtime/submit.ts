// Work that is submitted to a device and read back: one command buffer, whose results are copied to a buffer that the host
// maps. A few may be under way at once.

import { RuntimeError } from './errors.ts';
import { guard } from './guard.ts';
import type { OpenedDevice } from './opened-device.ts';
import { type Output, readOutputs } from './outputs.ts';
import type { Tensor } from './tensor.ts';
import type { DispatchTimer } from './timing.ts';

/** What is submitted at once. */
export interface Work {
  /** For messages. */
  readonly name: string;
  /** What is read back, each at its offset. */
  readonly outputs: readonly Output[];
  /** Gets when each dispatch ran. */
  readonly timer?: DispatchTimer | undefined;
  /** Writes what the work is given, and records its dispatches. */
  encode(encoder: GPUCommandEncoder): void;
}

export interface Submitter {
  /**
   * Submits and waits for the results, which are empty where nothing is read back. Throws RuntimeError('gpu'), and
   * RuntimeError('input') where as much is under way as may be.
   */
  run(work: Work): Promise<ReadonlyMap<string, Tensor>>;
  /** Releases the memory. */
  destroy(): void;
}

/** Submissions that may be under way at once. The queue keeps their order, so they share all memory but the results'. */
export const IN_FLIGHT = 2;

/** @param bytes the most that is read back at once */
export function createSubmitter({ device, pacing, adapter, check }: OpenedDevice, bytes: number): Submitter {
  const readbacks = Array.from({ length: IN_FLIGHT }, () =>
    device.createBuffer({
      label: 'readback',
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    }),
  );
  const free = [...readbacks];
  // Work behind other work takes as long as both; how long is expected is remembered apart.
  const pauses = readbacks.map(() => pacing.createPause(adapter.isFallback));
  return {
    async run({ name, outputs, timer, encode }) {
      const pause = pauses[IN_FLIGHT - free.length];
      const staging = free.pop();
      if (staging === undefined || pause === undefined) {
        throw new RuntimeError(
          'input',
          `${IN_FLIGHT} runs of this program have not ended; await one before the next`,
        );
      }
      try {
        await guard(device, name, () => {
          const encoder = device.createCommandEncoder();
          encode(encoder);
          timer?.resolve(encoder);
          for (const { slot, bytes, offset } of outputs)
            encoder.copyBufferToBuffer(slot, 0, staging, offset, bytes);
          device.queue.submit([encoder.finish()]);
        });
        if (outputs.length === 0) {
          await pause.until(() => device.queue.onSubmittedWorkDone());
          check();
          return new Map();
        }
        await pause.until(() => staging.mapAsync(GPUMapMode.READ));
        check();
        return readOutputs(outputs, staging);
      } catch (error) {
        check();
        throw error instanceof RuntimeError
          ? error
          : new RuntimeError('gpu', `reading back results: ${String(error)}`);
      } finally {
        free.push(staging);
      }
    },
    destroy() {
      for (const readback of readbacks) readback.destroy();
    },
  };
}
