// The sinusoidal embedding of timesteps, computed on the host and rounded to float32 where the original rounds it:
// models were trained on these angles, and at a late step of a sampler the difference to exact ones shows.
// Source: improved-diffusion, nn.py, timestep_embedding: cos and sin of t · exp(-ln(max_period) · i / half).

/** [batch][dim filled up to a multiple of four]; an odd dim ends in a zero. */
export function timestepEmbedding(
  timesteps: ArrayLike<number>,
  dim: number,
  maxPeriod: number,
): Float32Array<ArrayBuffer> {
  const half = Math.floor(dim / 2);
  const stored = Math.ceil(dim / 4) * 4;
  const out = new Float32Array(timesteps.length * stored);
  const { fround } = Math;
  const rate = fround(-Math.log(maxPeriod));
  for (let i = 0; i < half; i++) {
    const frequency = fround(Math.exp(fround(fround(rate * i) / half)));
    for (let b = 0; b < timesteps.length; b++) {
      const angle = fround(timesteps[b]! * frequency);
      out[b * stored + i] = Math.cos(angle);
      out[b * stored + half + i] = Math.sin(angle);
    }
  }
  return out;
}
