// What the cost model reads from a kernel's own text: its workgroup memory, its sizes by name, and of its loops how many steps
// follow each other.

import { constantsOf, integerOf } from '../../compiler/codegen/wgsl/constants.ts';
import type { Dispatch } from '../../runtime/bundle.ts';

export interface KernelFacts {
  /** The kernel's source, such as `conv_gemm`. */
  readonly source: string;
  /** Whether its products are matrix units'. */
  readonly matrix: boolean;
  /** Bytes of workgroup memory. */
  readonly shared: number;
  /** How long a step is: 1 where the next one's operands are loaded meanwhile, 1.8 where a step waits for its own. */
  readonly step: number;
  /** Steps of a workgroup's loop in a dispatch. */
  stepsOf(dispatch: Pick<Dispatch, 'sizes'>): number;
  /** Bytes of slices of a product that a dispatch writes or reads beside what its group moves. */
  sliceBytesOf(dispatch: Pick<Dispatch, 'sizes' | 'workgroups'>): number;
}

const BYTES: Readonly<Record<string, number>> = { f32: 4, u32: 4, vec2f: 8, vec4h: 8, vec4f: 16, vec4u: 16 };

type Steps = (size: (name: string) => number, constant: (name: string) => number) => number;

/** Steps that follow each other, of kernels that stage what they read; all others load once what each thread needs. */
const STEPS: Readonly<Record<string, Steps>> = {
  conv_gemm: (size, constant) => {
    const all = size('chunks') * size('taps') + size('skip_chunks');
    return Math.ceil((size('slice_steps') || all) / (constant('DEPTH') || 1));
  },
  conv_matrix: (size, constant) => {
    // a round has taps of one patch
    const served = constant('TAPS') || 1;
    const rounds = Math.ceil(served / (constant('DEPTH') || 1));
    const [main, skip] = [(size('chunks') * size('taps')) / served, size('skip_chunks')];
    if (size('main_slices') === 0) return main * rounds + skip;
    return Math.max(size('main_stages') * rounds, Math.min(size('skip_stages'), skip));
  },
  // four slices are loaded together
  sum_slices: (size) => Math.ceil(size('slices') / 4),
  attention: (size) => Math.ceil(size('positions') / 32) * (1 + Math.ceil(size('head_channels') / 32)),
  attention_matrix: (size) => Math.ceil(size('positions') / 32) * (Math.ceil(size('head_channels') / 64) + 1),
  // rounds of a thread, of which each loads a whole tile
  winograd_input: (size) => Math.ceil(size('tiles_at_once') / 4),
  winograd_product: (size, constant) => Math.ceil(size('steps') / (constant('DEPTH') || 1)),
  winograd_output: (size) => Math.ceil(size('tiles_x') / 4),
  linear: (size) => Math.ceil(size('in_quads') / 64),
};

/** Reads a kernel; `file` is its name in the bundle. */
export function kernelFacts(file: string, wgsl: string): KernelFacts {
  const source = sourceOf(file);
  const names = fieldsOf(wgsl);
  const steps = STEPS[source];
  return {
    source,
    matrix: wgsl.includes('subgroupMatrixMultiplyAccumulate'),
    shared: sharedBytes(wgsl),
    step: source === 'conv_matrix' ? 1 : 1.8,
    stepsOf: ({ sizes }) => {
      const size = (name: string) => sizes[names.indexOf(name)] ?? 0;
      return Math.max(1, steps?.(size, valuesIn(wgsl)) ?? 1);
    },
    sliceBytesOf: ({ sizes, workgroups }) => {
      const size = (name: string) => sizes[names.indexOf(name)] ?? 0;
      const slices = source === 'sum_slices' ? size('slices') : workgroups[1]! / size('column_tiles');
      return size('slice_quads') === 0 ? 0 : 16 * slices * size('slice_quads');
    },
  };
}

/** `conv_gemm` of `conv_gemm-0a1b2c3d.wgsl`: the kernel's source without what it was specialised to. */
export function sourceOf(file: string): string {
  return file.replace(/(-[0-9a-f]{8})?\.wgsl$/, '');
}

/** Names of `struct Sizes`, in order. */
export function fieldsOf(wgsl: string): readonly string[] {
  const body = /struct Sizes \{([^}]*)\}/.exec(wgsl)?.[1] ?? '';
  return [...body.matchAll(/^\s*(\w+): (?:u32|f32)/gm)].map(([, name]) => name!);
}

/** Bytes of all `var<workgroup>` arrays. Lengths are numbers, constants and products of them. */
export function sharedBytes(wgsl: string): number {
  const arrays = [...wgsl.matchAll(/^var<workgroup> \w+: array<(\w+), ([^>]+)>;/gm)];
  const constants = constantsOf(wgsl);
  return arrays.reduce((sum, [, type, length]) => {
    const alias = new RegExp(`^alias ${type} = (\\w+);`, 'm').exec(wgsl)?.[1] ?? type!;
    return sum + (BYTES[alias] ?? 4) * integerOf(length!, constants);
  }, 0);
}

/** The value of a constant of a kernel, by its name; `without`, by default 0, where it has none or is 0. */
export function valuesIn(wgsl: string): (name: string, without?: number) => number {
  const constants = constantsOf(wgsl);
  return (name, without = 0) => (constants.has(name) && integerOf(name, constants)) || without;
}
