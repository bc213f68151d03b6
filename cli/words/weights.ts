// What commands say of the weights that they take, and how those that write weights are told to.

import { type ConvertOptions, WEIGHT_DTYPES } from '../../engine/checkpoint/weight-dtypes.ts';
import { parseBytes, parseChoice } from '../parse.ts';

/** The word behind `--weights`. */
export const WEIGHTS = '.safetensors, .pt or an index of shards, with #KEY for a part of it; or hash:SEED';

/** The word of commands that look at a checkpoint alone. */
export const CHECKPOINT = '.pt, .safetensors or an index of shards, with #KEY for a part of it';

/** A note for the help of commands that take a part of a checkpoint. */
export const KEYS = `
FILE#KEY is the state dict under that key (model.pt#ema, state.pt#state_dict.ema_0.9999), or the tensors whose names begin
with it, which is taken off (sd.safetensors#model.diffusion_model.).
`;

/** How weights are written, as `--dtype` and `--shard-size` say. Throws UsageError. */
export function weightSettings({
  dtype,
  shardSize,
}: {
  readonly dtype?: string;
  readonly shardSize?: string;
}): ConvertOptions {
  return {
    dtype: dtype === undefined ? undefined : parseChoice(dtype, '--dtype', WEIGHT_DTYPES),
    shardSize: shardSize === undefined ? undefined : parseBytes(shardSize, '--shard-size'),
  };
}
