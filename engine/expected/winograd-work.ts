// What the dispatches of a Winograd convolution compute and move themselves. The manifest says of a group what the plain sum
// would take, shared by its dispatches, which against a roof reads as up to 400 %. F(m x m, 3 x 3) makes (m + 2)^2 planes of
// each tile of m x m pixels: a transform of the input for each source, one product for all planes, a transform of the output.
// Source: Lavin and Gray 2016, arXiv:1509.09308.

import type { Dispatch } from '../../runtime/bundle.ts';

/** What a dispatch has to do at the least. */
export interface Work {
  readonly flops: number;
  readonly bytes: number;
}

/**
 * Operations of a tile and channel: of the input's transform (m + 2) columns and as many rows, of the output's (m + 2)
 * columns and m rows, each by `inputTransformOf` and `outputTransformOf` of the compiler.
 */
const TRANSFORMS = {
  2: { input: 8 * 4, output: 6 * 4 },
  4: { input: 12 * 20, output: 10 * 16 },
} as const;

/** What stands in a schedule's line: the tile, the stored type, channels and size of the result. */
const LINE = /^#\d+ conv(?:_transpose)? winograd([24]) .*? (f32|f16)\[\d+,(\d+),(\d+),(\d+)\]/;

/** The line of a weight's gradient; its product has a multiplication for each plane in the place of one for each pixel and tap. */
const OF_WEIGHT = /^#\d+ weight_gradient winograd([24]) /;

/** Where winograd_product has what it needs in its sizes. */
const PRODUCT_SIZES = { tiles: 0, quads: 1 } as const;

/** Values of planes and transformed weights are float32. */
const PLANE_BYTES = 4;

/** The work of every dispatch, in order; `kernels` are the sources that their kernels were made of. */
export function workOf(dispatches: readonly Dispatch[], kernels: readonly string[]): readonly Work[] {
  // channels of the input of the convolution whose transforms were seen last: one transform a source
  let channels = 0;
  return dispatches.map((dispatch, i) => {
    const { flops, bytes, workgroups, group } = dispatch;
    const ofWeight = OF_WEIGHT.exec(group);
    if (ofWeight !== null) {
      const m = Number(ofWeight[1]);
      return { flops: (flops * (m + 2) ** 2) / (9 * m ** 2), bytes };
    }
    const found = LINE.exec(group);
    if (found === null) return { flops, bytes };
    const [, tile, stored, ...extent] = found;
    const m = tile === '2' ? 2 : 4;
    const [out = 0, height = 0, width = 0] = extent.map(Number);
    const planes = (m + 2) ** 2;
    const tiles = Math.ceil(height / m) * Math.ceil(width / m);
    const pixelBytes = height * width * (stored === 'f16' ? 2 : 4);
    const planesBytes = planes * tiles * PLANE_BYTES;
    const [, quads, depth] = workgroups;
    switch (kernels[i]) {
      case 'winograd_input_subgroup': {
        if (kernels[i - 1] !== kernels[i]) channels = 0;
        channels += 4 * quads;
        const values = depth * 4 * quads;
        return { flops: values * tiles * TRANSFORMS[m].input, bytes: values * (pixelBytes + planesBytes) };
      }
      case 'winograd_input': {
        // a workgroup has 16 quads, and the product behind it says how many there are
        const values = depth * 4 * dispatches[i + 1]!.sizes[PRODUCT_SIZES.quads]!;
        return { flops: values * tiles * TRANSFORMS[m].input, bytes: values * (pixelBytes + planesBytes) };
      }
      case 'winograd_product': {
        const all = dispatch.sizes[PRODUCT_SIZES.tiles]!;
        const inputs = 4 * dispatch.sizes[PRODUCT_SIZES.quads]!;
        return {
          flops: 2 * planes * all * inputs * out,
          bytes: PLANE_BYTES * planes * (all * (inputs + out) + inputs * out),
        };
      }
      case 'winograd_output':
      case 'winograd_output_subgroup': {
        const values = depth * out;
        return { flops: values * tiles * TRANSFORMS[m].output, bytes: values * (pixelBytes + planesBytes) };
      }
      default: {
        const samples = depth / planes;
        const weights = planes * channels * out * PLANE_BYTES;
        return {
          flops: 2 * samples * tiles * planes * channels * out,
          bytes: samples * (channels + out) * planesBytes + weights,
        };
      }
    }
  });
}
