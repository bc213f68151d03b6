// A map group: load, prologue, epilogue, store.

import type { Schedule, ScheduledMap } from '../../schedule/schedule.ts';
import { normOf } from '../../schedule/statistics.ts';
import { type Extent, extentOf, nodeOf, padSpace } from '../../schedule/values.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, fragmentOf, joinFragments, readBuffer, value } from '../fragment.ts';
import { loadInput, type Prologue, prologueLines, prologueOf } from '../fused-ops.ts';
import { storedHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';

/** Pixels of a workgroup: enough to repay what it computes once a quad. */
const TILE_PIXELS = 128;

export function map({ graph }: Schedule, group: ScheduledMap): KernelCall {
  const out = extentOf(graph, group.result);
  const upsample = group.upsample === null ? null : nodeOf(graph, group.upsample, 'upsample_nearest');
  const input = upsample ? extentOf(graph, upsample.inputs[0]!) : out;
  const weights = createWeightsBuilder(graph);
  const prologue = prologueOf(graph, group, weights);
  const normed = normOf(graph, group) !== null;
  const fused = joinFragments(
    normed ? normBuffers() : joinFragments(),
    loadInput(graph, group, 'sizes.in_pixels'),
    prologue,
    prologueHook(prologue),
    epilogueOf(graph, group.epilogue),
    storedHalves(graph, { result: group.result }),
  );
  return callKernel({
    file: 'map',
    consts: { TILE_PIXELS },
    ...fused,
    declared: { result: value(group.result) },
    weights: normed ? weights.finish() : null,
    workgroups: [Math.ceil(out.pixels / TILE_PIXELS), Math.ceil(out.quads / 8), out.batch],
    sizes: { ...fused.sizes, ...mapSizes(out, input, upsample?.attrs.factor) },
  });
}

/** Sizes of a map of `input` to `out`, which nearest upsampling makes larger by `factor`. */
export function mapSizes(out: Extent, input: Extent, factor: readonly number[] = []) {
  const [scale_d, scale_h, scale_w] = padSpace(factor, 1);
  return {
    pixels: out.pixels,
    height: out.height,
    width: out.width,
    out_quads: out.quads,
    in_pixels: input.pixels,
    in_height: input.height,
    in_width: input.width,
    scale_d,
    scale_h,
    scale_w,
  };
}

/** What a kernel that declares no weights needs for a norm. */
export function normBuffers(): Fragment {
  const { hooks, functions } = fragmentOf('map_norm');
  const extra = [readBuffer('weights', { kind: 'weights' })];
  return { hooks, functions: [...functions, ''], extra, sizes: {} };
}

/** Scale and shift are computed once a quad, and applied to what is loaded. */
export function prologueHook({ affine, tail }: Prologue): Fragment {
  const prologue = prologueLines(affine ? ['affine.scale', 'affine.shift'] : null, tail);
  return {
    hooks: {
      ...(affine ? { prepare_quad: ['affine = affine_of(sample, quad);'] } : {}),
      ...(prologue.length > 0 ? { prologue } : {}),
    },
    functions: affine ? ['var<private> affine: Affine;'] : [],
    extra: [],
    sizes: {},
  };
}
