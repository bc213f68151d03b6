// What a model may be compiled in, by the name that users give it: how activations of its torso and weights of its
// convolutions are stored. Kernels compute in float32 whatever is stored.

import type { StoredType } from '../runtime/bundle.ts';

interface PrecisionTypes {
  readonly activations: StoredType;
  readonly weights: StoredType;
}

export const PRECISIONS = {
  f32: { activations: 'f32', weights: 'f32' },
  /** The original's convert_to_fp16. */
  f16: { activations: 'f16', weights: 'f16' },
} as const satisfies Readonly<Record<string, PrecisionTypes>>;

export type Precision = keyof typeof PRECISIONS;

/** Whether a word names a precision. */
export function isPrecision(name: string): name is Precision {
  return Object.hasOwn(PRECISIONS, name);
}
