// What callers ask of training data: which batches, from where, how large.

import { type Check, checkOptions, countBelow, SIGNAL } from '../../runtime/arguments.ts';
import { LARGEST_BATCH } from '../compile/model-settings.ts';
import type { StepRequest } from './batch.ts';

export interface RowsRequest {
  /** Images in a batch; the last may have fewer. */
  readonly batch: number;
  /** The first sample, and the one behind the last. Default: all. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const BATCH: Check = {
  expected: `a whole number from 1 to ${LARGEST_BATCH}`,
  holds: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LARGEST_BATCH,
};

/** Steps and samples are counted exactly. */
const PLACE = countBelow(Number.MAX_SAFE_INTEGER);

const STEP_REQUEST = { batch: BATCH, from: PLACE, signal: SIGNAL } as const satisfies {
  readonly [name in keyof Required<StepRequest>]: Check;
};

const ROWS_REQUEST = { ...STEP_REQUEST, until: PLACE } as const satisfies {
  readonly [name in keyof Required<RowsRequest>]: Check;
};

/** Throws UsageError for a request that is off. */
export function checkStepRequest(request: unknown): void {
  checkOptions('steps', request, STEP_REQUEST, ['batch']);
}

/** Throws UsageError for a request that is off. */
export function checkRowsRequest(request: unknown): void {
  checkOptions('rows', request, ROWS_REQUEST, ['batch']);
}
