// The code that reads a residual of another size: a function that finds the pixels of the residual which a pixel of the result
// comes of, and returns their mean (pooling) or the one (nearest upsampling).

import { invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { sizeOf } from '../ops/op.ts';
import type { FusedOp, Home } from '../schedule/schedule.ts';
import { padSpace } from '../schedule/values.ts';

export interface ReadOptions {
  /** Where the residual stands, which is also how `at` counts in the result. */
  readonly home: Home;
  /** The pixels of a sample of the result as an expression. */
  readonly pixels: string;
  /** The expression for the quad at a place of the residual. */
  load(at: string): string;
}

/** The function and the call of it that takes the place of a load; null where the residual has the size of the result. */
export function resampledRead(
  graph: OpGraph,
  { resampled }: FusedOp,
  name: string,
  { home, pixels, load }: ReadOptions,
): { readonly lines: readonly string[]; readonly call: string } | null {
  if (resampled === undefined) return null;
  const node = graph.nodes[resampled]!;
  invariant(
    node.op === 'avg_pool' || node.op === 'upsample_nearest',
    `%${resampled} is no resampling of a residual`,
  );
  const pooled = node.op === 'avg_pool';
  const [d, h, w] = padSpace(node.op === 'avg_pool' ? node.attrs.kernel : node.attrs.factor, 1);
  // sizes and places of the residual, from those of the result
  const into = pooled ? '*' : '/';
  const window = sizeOf([d, h, w]);
  const texture = home === 'texture';
  const row = '(sample * sizes.out_quads + quad)';
  const place = (pixel: string) =>
    texture
      ? `${row} * from_pixels + ${pixel}`
      : `(sample * from_pixels + ${pixel}) * sizes.out_quads + quad`;
  const offsets = Array.from({ length: pooled ? window : 1 }, (_, i) => ({
    x: i % w,
    y: Math.floor(i / w) % h,
    z: Math.floor(i / w / h),
  }));
  const loads = offsets.map(({ x, y, z }) => load(place(offsetOf(x, y, z))));
  const lines = [
    pooled
      ? '// the mean of the pixels of a larger residual that a pixel of the result comes of'
      : '// the pixel of a smaller residual that a pixel of the result comes of',
    `fn ${name}_resampled(sample: u32, quad: u32, at: u32) -> vec4f {`,
    texture
      ? `  let pixel = at - ${row} * (${pixels});`
      : `  let pixel = at / sizes.out_quads - sample * (${pixels});`,
    `  let width = sizes.width ${into} ${w}u;`,
    `  let height = sizes.height ${into} ${h}u;`,
    `  let x = pixel % sizes.width ${into} ${w}u;`,
    `  let y = pixel / sizes.width % sizes.height ${into} ${h}u;`,
    `  let z = pixel / sizes.width / sizes.height ${into} ${d}u;`,
    `  let from_pixels = (${pixels}) ${into} ${window}u;`,
    '  let from_pixel = (z * height + y) * width + x;',
    ...(loads.length === 1
      ? [`  return ${loads[0]};`]
      : ['  var sum = vec4f();', ...loads.map((one) => `  sum += ${one};`), `  return sum * ${1 / window};`]),
    '}',
    '',
  ];
  return { lines, call: `${name}_resampled(sample, quad, at)` };
}

/** A pixel of the window, behind its first. */
function offsetOf(x: number, y: number, z: number): string {
  const rows = [...(z > 0 ? [`${z}u * height`] : []), ...(y > 0 ? [`${y}u`] : [])].join(' + ');
  const behind = [...(rows === '' ? [] : [`(${rows}) * width`]), ...(x > 0 ? [`${x}u`] : [])];
  return ['from_pixel', ...behind].join(' + ').replace(/^(.* .*)$/, '($1)');
}
