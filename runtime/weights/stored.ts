// The types in which weights are stored: what packing has to know of each. What kernels have to know is in
// `compiler/codegen/stored-weights.ts`.

import type { StoredType } from '../bundle.ts';
import { float16ToFloat32, float32ToFloat16 } from './dtypes.ts';

type Elements = Float32Array | Uint16Array;

interface Stored {
  /** Elements as they are stored. */
  readonly encode: (values: Float32Array) => Elements;
  /** The values that the encoded elements have. */
  readonly round: (values: Float32Array) => Float32Array;
  /** Memory as places of elements. */
  readonly places: (words: Float32Array) => Elements;
}

export const STORED = {
  f32: { encode: (values) => values, round: (values) => values, places: (words) => words },
  f16: {
    encode: (values) => float32ToFloat16(values),
    round: (values) => float16ToFloat32(float32ToFloat16(values)),
    places: (words) => new Uint16Array(words.buffer, words.byteOffset, words.length * 2),
  },
} as const satisfies Readonly<Record<StoredType, Stored>>;
