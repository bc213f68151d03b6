// How large the numbers of a graph may be, for whoever reads one.

/**
 * Limits that keep sizes, products and counts far inside exact integers; no known model comes near them. How large an image
 * a target reaches, compiling tells.
 */
export const LIMITS = {
  size: 2 ** 24,
  image_channels: 4096,
  model_channels: 8192,
  channel_mult: 32,
  levels: 16,
  res_blocks: 64,
  channels: 2 ** 20,
  blocks: 2048,
  layers: 64,
  classes: 2 ** 24,
  steps: 1_000_000,
} as const;
