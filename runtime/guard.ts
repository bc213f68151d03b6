// WebGPU reports errors beside the calls that cause them: error scopes bring them back to the call.

import { RuntimeError } from './errors.ts';

const scopes = ['internal', 'out-of-memory', 'validation'] as const;

const meanings: Readonly<Record<(typeof scopes)[number], string>> = {
  validation: 'the GPU refused a call',
  'out-of-memory': 'the GPU is out of memory; use a smaller batch or image size',
  internal: 'the GPU driver failed',
};

/**
 * Runs GPU calls and throws RuntimeError('gpu') where one of them failed: validation, out of memory, internal.
 *
 * `work` is synchronous, so that scopes of two guards never interleave. Promises that it makes (pipelines, maps)
 * report by rejecting and are the caller's to await. `what` says what was being done, for the message.
 */
export async function guard<T>(device: GPUDevice, what: string, work: () => T): Promise<T> {
  for (const scope of scopes) device.pushErrorScope(scope);
  let result: T;
  let popped: Promise<(GPUError | null)[]>;
  try {
    result = work();
  } finally {
    // Popped in the same turn, innermost first; a lost device answers null or rejects.
    popped = Promise.all([...scopes].reverse().map(() => device.popErrorScope().catch(() => null)));
  }
  for (const [i, error] of (await popped).entries()) {
    const scope = scopes[scopes.length - 1 - i];
    if (error && scope) throw new RuntimeError('gpu', `${what}: ${meanings[scope]}: ${error.message.trim()}`);
  }
  return result;
}
