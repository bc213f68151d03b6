// The calls that add up gradients, sum their squares, say what they are multiplied by, and change what is trained.

import { COPIES, isLate, type ParameterArena, SQUARE_SUMS, type Update } from '../../schedule/update.ts';
import { type Extra, readBuffer } from '../fragment.ts';
import { gridOver } from '../groups/grid.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';

/** Gradients as they are used: those of a batch, or their sums over microbatches, which are zero again behind their use. */
function used({ accumulates }: Update, arena: number) {
  return { kind: accumulates ? 'gradient_sums' : 'gradients', arena } as const;
}

export function accumulate(_: Update, { bytes }: ParameterArena, arena: number): KernelCall {
  return callKernel({
    file: 'accumulate',
    declared: { gradients: { kind: 'gradients', arena }, sums: { kind: 'gradient_sums', arena } },
    workgroups: gridOver(bytes / 16, 4096),
    sizes: { quads: bytes / 16 },
  });
}

export function square_sums(update: Update, { bytes }: ParameterArena, arena: number): KernelCall {
  return callKernel({
    file: 'square_sums',
    declared: { gradients: used(update, arena), sums: { kind: 'square_sums' } },
    workgroups: [SQUARE_SUMS, 1, 1],
    sizes: { quads: bytes / 16, first: arena * SQUARE_SUMS },
  });
}

/** Zeros in an arena of gradients before the first of them is written. */
export function zeros({ bytes }: ParameterArena, arena: number): KernelCall {
  return callKernel({
    file: 'zeros',
    declared: { zeros: { kind: 'gradients', arena } },
    workgroups: gridOver(bytes / 16, 4096),
    sizes: { quads: bytes / 16, first: 0 },
  });
}

/** By the sums of all arenas up to `last`: of those behind it nothing may be known yet, and then no norm is limited. */
export function gradientScale(update: Update, last: number): KernelCall {
  return callKernel({
    file: 'gradient_scale',
    consts: { CLIPS: isLate(update) ? 1 : 0 },
    declared: {
      sums: { kind: 'square_sums' },
      settings: { kind: 'step_settings' },
      scale: { kind: 'gradient_scale' },
    },
    workgroups: [1, 1, 1],
    sizes: { sums: (last + 1) * SQUARE_SUMS, first: isLate(update) ? 0 : last },
  });
}

export function adamw(update: Update, { bytes }: ParameterArena, arena: number): KernelCall {
  const gradients = used(update, arena);
  const sums: Extra = { ...readBuffer('gradients', gradients), access: 'read_write' };
  return callKernel({
    file: 'adamw',
    hooks: {
      gradient: update.accumulates
        ? ['let sum = gradients[at];', 'gradients[at] = vec4f();', 'return sum;']
        : ['return gradients[at];'],
    },
    extra: [update.accumulates ? sums : readBuffer('gradients', gradients)],
    declared: {
      settings: { kind: 'step_settings' },
      scale: { kind: 'gradient_scale' },
      trained: { kind: 'trained', arena },
    },
    workgroups: gridOver(bytes / 16, 4096),
    sizes: { quads: bytes / 16, averages: update.averages },
  });
}

/** Floating-point operations of each for an element, and times that its arenas are read or written. */
export function workOf({ averages }: Update): Readonly<Record<'accumulate' | 'square_sums' | 'adamw', Work>> {
  return {
    accumulate: { flops: 1, passes: 3 },
    square_sums: { flops: 2, passes: 1 },
    adamw: { flops: 14 + 3 * averages, passes: 1 + 2 * (COPIES.length + averages) },
  };
}

interface Work {
  readonly flops: number;
  readonly passes: number;
}
