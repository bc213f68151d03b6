// The sinusoidal embedding of timesteps, computed on the host and rounded to float32 where the original rounds it:
// models were trained on these angles, and at a late step of a sampler the difference to exact ones shows.
// Source: improved-diffusion, nn.py, timestep_embedding: cos and sin of t · exp(-ln(max_period) · i / half). Others
// divide by half - shift, or have the sines first (diffusers, embeddings.py, get_timestep_embedding).

/** How timesteps are embedded; improved-diffusion has the order `cos_sin` and shift 0. */
export interface EmbeddingOptions {
  readonly dim: number;
  readonly max_period: number;
  readonly order: 'cos_sin' | 'sin_cos';
  readonly shift: number;
}

/** [batch][dim filled up to a multiple of four]; an odd dim ends in a zero. */
export function timestepEmbedding(
  timesteps: ArrayLike<number>,
  { dim, max_period, order, shift }: EmbeddingOptions,
): Float32Array<ArrayBuffer> {
  const half = Math.floor(dim / 2);
  const stored = Math.ceil(dim / 4) * 4;
  const out = new Float32Array(timesteps.length * stored);
  const { fround } = Math;
  const rate = fround(-Math.log(max_period));
  const [cosines, sines] = order === 'cos_sin' ? [0, half] : [half, 0];
  for (let i = 0; i < half; i++) {
    const frequency = fround(Math.exp(fround(fround(rate * i) / (half - shift))));
    for (let b = 0; b < timesteps.length; b++) {
      const angle = fround(timesteps[b]! * frequency);
      out[b * stored + cosines + i] = Math.cos(angle);
      out[b * stored + sines + i] = Math.sin(angle);
    }
  }
  return out;
}
