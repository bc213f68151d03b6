// How weights may be written, for those who are asked and those who write.

/** How values are stored. */
export const WEIGHT_DTYPES = ['f32', 'f16'] as const;
export type WeightDtype = (typeof WEIGHT_DTYPES)[number];

export interface ConvertOptions {
  /** Default 'f32'. */
  readonly dtype?: WeightDtype | undefined;
  /** The most bytes of a file. Default: one file, of whatever size. */
  readonly shardSize?: number | undefined;
}
