// Work that is submitted to a device and read back: one command buffer, whose results are copied to a buffer that the host
// maps. A few may be under way at once.

import { toldOfLoss } from './answered.ts';
import { RuntimeError } from './errors.ts';
import { guard } from './guard.ts';
import type { OpenedDevice } from './opened-device.ts';
import { copyOutputs, type Output, readOutputs } from './outputs.ts';
import type { Recorder } from './steps.ts';
import { createCuts, mostOperations } from './submissions.ts';
import type { Tensor } from './tensor.ts';
import type { DispatchTimer } from './timing.ts';
import type { Watchdog } from './watchdog.ts';

/** What is submitted at once. */
export interface Work {
  /** For messages. */
  readonly name: string;
  /** What is read back, each at its offset. */
  readonly outputs: readonly Output[];
  /** Gets when each dispatch ran. */
  readonly timer?: DispatchTimer | undefined;
  /** Writes what the work is given, and records its dispatches. */
  encode(recorder: Recorder): void;
}

export interface Submitter {
  /**
   * Submits and waits for the results, which are empty where nothing is read back; behind work that was given before,
   * where as much is under way as may be. Throws RuntimeError('gpu').
   */
  run(work: Work): Promise<ReadonlyMap<string, Tensor>>;
  /** Releases the memory. */
  destroy(): void;
}

/** Submissions that may be under way at once. The queue keeps their order, so they share all memory but the results'. */
export const IN_FLIGHT = 2;

/**
 * What is submitted first is submitted dispatch by dispatch, so that one that hangs is known by name; that costs some
 * milliseconds. One that has ended once is not expected to hang later.
 * @param bytes the most that is read back at once
 * @param most operations of a submission; what has more is several
 */
export function createSubmitter(
  opened: OpenedDevice,
  bytes: number,
  watchdog: Watchdog,
  most = mostOperations(opened.adapter),
): Submitter {
  const { device, pacing, adapter, check } = opened;
  const known = new Set<string>();
  const readbacks = Array.from({ length: IN_FLIGHT }, () =>
    device.createBuffer({
      label: 'readback',
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    }),
  );
  const free = [...readbacks];
  const queued: ((readback: GPUBuffer) => void)[] = [];
  const take = (): Promise<GPUBuffer> | GPUBuffer =>
    free.pop() ?? new Promise((resolve) => queued.push(resolve));
  const give = (readback: GPUBuffer) => {
    const next = queued.shift();
    if (next === undefined) free.push(readback);
    else next(readback);
  };
  // Work behind other work takes as long as both; how long is expected is remembered apart.
  const pauses = readbacks.map(() => pacing.createPause(adapter.isFallback));
  return {
    async run({ name, outputs, timer, encode }) {
      // where there is room, what is submitted keeps the order of the calls with all else that the host writes
      const taken = take();
      const staging = taken instanceof Promise ? await taken : taken;
      const pause = pauses[IN_FLIGHT - free.length - 1]!;
      try {
        check();
        const record = known.has(name)
          ? recordWhole(device, name, most)
          : recordStepwise(opened, watchdog, name);
        const submit = () => {
          encode(record);
          const { encoder } = record;
          timer?.resolve(encoder);
          copyOutputs(outputs, encoder, staging);
          device.queue.submit([encoder.finish()]);
        };
        const wait = (): Promise<unknown> =>
          outputs.length === 0 ? device.queue.onSubmittedWorkDone() : staging.mapAsync(GPUMapMode.READ);
        const ended = guard(device, name, submit).then(() => pause.until(wait));
        await watchdog.until(ended, record.doing);
        check();
        known.add(name);
        return outputs.length === 0 ? new Map() : readOutputs(outputs, staging);
      } catch (error) {
        if (!(error instanceof RuntimeError)) await toldOfLoss(opened);
        check();
        throw error instanceof RuntimeError
          ? error
          : new RuntimeError('gpu', `reading back results: ${String(error)}`);
      } finally {
        give(staging);
      }
    },
    destroy() {
      for (const readback of readbacks) readback.destroy();
    },
  };
}

/** A recorder that knows what the device is at, in words. */
interface Followed extends Recorder {
  doing(): string;
}

/** Submits where a submission would be more than `most` operations. */
function recordWhole(device: GPUDevice, name: string, most: number): Followed {
  let encoder = device.createCommandEncoder();
  const begins = createCuts(most);
  return {
    get encoder() {
      return encoder;
    },
    cuts: {
      begins: ({ flops }) => begins(flops),
      submit() {
        device.queue.submit([encoder.finish()]);
        encoder = device.createCommandEncoder();
      },
    },
    doing: () => `${name}, which ended before,`,
  };
}

/** Submits dispatch by dispatch, and counts those that have ended. */
function recordStepwise({ device, pacing }: OpenedDevice, watchdog: Watchdog, name: string): Followed {
  let encoder = device.createCommandEncoder();
  const names = [() => 'what comes before its dispatches'];
  let ended = 0;
  return {
    get encoder() {
      return encoder;
    },
    cuts: {
      begins: () => true,
      submit(step) {
        device.queue.submit([encoder.finish()]);
        const done = () => {
          ended++;
          watchdog.alive();
        };
        // a device that is lost tells so elsewhere
        void pacing.unhurried(() => device.queue.onSubmittedWorkDone()).then(done, () => undefined);
        names.push(step.name);
        encoder = device.createCommandEncoder();
      },
    },
    doing: () => `${name}: ${names[Math.min(ended, names.length - 1)]!()},`,
  };
}
