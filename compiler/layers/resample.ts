// What down- and upsampling do to a size: in 1D the length, in 2D both sides, in 3D height and width alone.

/** Factor of each spatial dimension, slowest first. */
export function resampleFactors(dims: 1 | 2 | 3): readonly number[] {
  return dims === 1 ? [2] : dims === 2 ? [2, 2] : [1, 2, 2];
}
