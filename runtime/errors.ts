// The faults a run can have; the kind decides the exit code of the command line.

export type RuntimeErrorKind = 'weights' | 'input' | 'bundle' | 'adapter' | 'gpu' | 'output';

/** A fault of weights, inputs, bundle, adapter, GPU or output. The message names the place and the fix. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  constructor(
    readonly kind: RuntimeErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
