// What both convolution kernels are told of a convolution: its sizes, its sources, and where its taps fall.

import { invariant } from '../../diagnostics.ts';
import type { NodeOf, OpGraph } from '../../opgraph/opgraph.ts';
import { paddingOf } from '../../ops/conv.ts';
import { sizeOf } from '../../ops/op.ts';
import type { ScheduledConv } from '../../schedule/schedule.ts';
import { type Extent, extentOf, nodeOf, padSpace } from '../../schedule/values.ts';
import { type Fragment, joinFragments } from '../fragment.ts';
import { loadInput, loadSources } from '../fused-ops.ts';

export interface ConvGeometry {
  readonly node: NodeOf<'conv'> | NodeOf<'conv_transpose'>;
  readonly out: Extent;
  /** The input as it is stored. */
  readonly input: Extent;
  readonly taps: number;
  /** Channel quads of the sources, and of the fused skip convolution's. */
  readonly quads: number;
  readonly skipQuads: number;
  /** Hooks that load the sources and locate the taps, with the sizes they need. */
  readonly fragment: Fragment;
}

/** `packed` hooks load quads as they are stored in float16. */
export function convGeometry(graph: OpGraph, group: ScheduledConv, packed = false): ConvGeometry {
  const node = graph.nodes[group.anchor]!;
  invariant(node.op === 'conv' || node.op === 'conv_transpose', `%${group.anchor} is no convolution`);
  const out = extentOf(graph, group.result);
  // the operand as it is written in the graph: its storage may have been written in another shape
  const upsample = group.upsample === null ? null : nodeOf(graph, group.upsample, 'upsample_nearest');
  const input = extentOf(graph, (upsample ?? node).inputs[0]!);
  const kernel = padSpace(graph.nodes[node.inputs[1]!]!.type.shape.slice(2), 1);
  const taps = sizeOf(kernel);
  const [stride_d, stride_h, stride_w] = padSpace(node.attrs.stride, 1);
  // what lies behind the input's end is zero however much of it is read: only the output's size tells of padding there
  const [pad_d, pad_h, pad_w] = padSpace(paddingOf(node.attrs).begin, 0);
  const [scale_d, scale_h, scale_w] = padSpace(upsample?.attrs.factor ?? [], 1);
  const loaded = loadInput(graph, group, 'sizes.in_depth * sizes.in_height * sizes.in_width', packed);
  const skip = group.skip
    ? loadSources(graph, group.skip.sources, 'load_skip', group.home, packed)
    : joinFragments();
  const sizes = {
    pixels: out.pixels,
    height: out.height,
    width: out.width,
    out_quads: out.quads,
    in_depth: input.depth,
    in_height: input.height,
    in_width: input.width,
    scale_d,
    scale_h,
    scale_w,
    kernel_h: kernel[1],
    kernel_w: kernel[2],
    stride_d,
    stride_h,
    stride_w,
    pad_d,
    pad_h,
    pad_w,
    taps,
  };
  const transposed = node.op === 'conv_transpose' ? TRANSPOSED : joinFragments();
  return {
    node,
    out,
    input,
    taps,
    quads: quadsOf(loaded, ''),
    skipQuads: quadsOf(skip, 'skip_'),
    fragment: joinFragments(loaded, skip, transposed, { hooks: {}, functions: [], extra: [], sizes }),
  };
}

function quadsOf(loaded: Fragment, prefix: string): number {
  return (loaded.sizes[`${prefix}quads0`] ?? 0) + (loaded.sizes[`${prefix}quads1`] ?? 0);
}

/** A transposed convolution reads input i where o = i * stride + tap - pad. */
const TRANSPOSED: Fragment = {
  hooks: {
    locate: [
      'let at = i32(position + pad) - i32(tap);',
      'return select(-1, at / i32(stride), at >= 0 && at < i32(extent * stride) && at % i32(stride) == 0);',
    ],
  },
  functions: [],
  extra: [],
  sizes: {},
};
