// Times dispatches by the GPU's own clock: a pair of timestamp queries a dispatch, read back after the run.

import { answered } from './answered.ts';
import type { OpenedDevice } from './opened-device.ts';

/** What a device needs for timestamps. */
export const TIMING_FEATURE = 'timestamp-query';

/** Queries in one query set. Source: WebGPU specification, "GPUQuerySet creation". */
const QUERIES_PER_SET = 4096;

const BYTES = 8;

/** When a dispatch ran, in nanoseconds of a clock whose beginning is arbitrary. */
export interface Interval {
  readonly begin: bigint;
  readonly end: bigint;
}

/** Times of the dispatches of one run. Each is a compute pass of its own, which is where WebGPU writes timestamps. */
export interface DispatchTimer {
  /** Where the pass of dispatch `i` writes when it begins and ends. */
  writes(i: number): GPUComputePassTimestampWrites;
  /** Brings the times to where `read` finds them; to be encoded behind the last pass. */
  resolve(encoder: GPUCommandEncoder): void;
  /** The times of the run that was submitted last, by dispatch. Rejects with RuntimeError('gpu'). */
  read(): Promise<readonly Interval[]>;
  destroy(): void;
}

/** A timer of `count` dispatches on a device that has TIMING_FEATURE. */
export function createTimer(count: number, opened: OpenedDevice): DispatchTimer {
  const { device } = opened;
  const sets: GPUQuerySet[] = [];
  for (let left = 2 * count; left > 0; left -= QUERIES_PER_SET) {
    sets.push(device.createQuerySet({ type: 'timestamp', count: Math.min(left, QUERIES_PER_SET) }));
  }
  const size = Math.max(2 * count * BYTES, BYTES);
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const resolved = device.createBuffer({ label: 'times', size, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = device.createBuffer({ label: 'times readback', size, usage: COPY_DST | MAP_READ });
  return {
    writes(i) {
      const query = (2 * i) % QUERIES_PER_SET;
      return {
        querySet: sets[Math.floor((2 * i) / QUERIES_PER_SET)]!,
        beginningOfPassWriteIndex: query,
        endOfPassWriteIndex: query + 1,
      };
    },
    resolve(encoder) {
      sets.forEach((set, i) => {
        encoder.resolveQuerySet(set, 0, set.count, resolved, i * QUERIES_PER_SET * BYTES);
      });
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    },
    async read() {
      const times = await answered(opened, 'reading back times', async () => {
        await staging.mapAsync(GPUMapMode.READ);
        const values = new BigUint64Array(staging.getMappedRange().slice(0));
        staging.unmap();
        return values;
      });
      return Array.from({ length: count }, (_, i) => ({ begin: times[2 * i]!, end: times[2 * i + 1]! }));
    },
    destroy() {
      for (const set of sets) set.destroy();
      resolved.destroy();
      staging.destroy();
    },
  };
}

/** How long it took, in milliseconds. A clock that was set back in between, as GPUs may, counts as no time. */
export function milliseconds({ begin, end }: Interval): number {
  return end > begin ? Number(end - begin) / 1e6 : 0;
}
