// The sinusoidal embedding of timesteps, computed in float64 on the host and rounded once.
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
  for (let b = 0; b < timesteps.length; b++) {
    for (let i = 0; i < half; i++) {
      const angle = timesteps[b]! * Math.exp((-Math.log(maxPeriod) * i) / half);
      out[b * stored + i] = Math.cos(angle);
      out[b * stored + half + i] = Math.sin(angle);
    }
  }
  return out;
}
