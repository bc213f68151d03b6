// How far naga reads kernels that are written for one kind of machine. It knows the functions of subgroups, but Deno grants the
// feature to nobody, and neither the line that enables it nor the name of the diagnostic that goes with it is known; matrix
// units it does not know at all.

import type { JudgedKernel } from './kernels.ts';
import type { Refusal } from './verdict.ts';

const NAMES_SUBGROUPS = /^(enable subgroups|diagnostic\(off, subgroup_uniformity\));$/gm;
const MATRICES = 'chromium_experimental_subgroup_matrix';

export interface ForeignKernels {
  /** Those that naga judges as they are. */
  readonly whole: readonly JudgedKernel[];
  /** Those of subgroups, without the lines that it does not know: it reads them and checks types. */
  readonly subgroups: readonly JudgedKernel[];
  /** Those of matrix units, of which it reads nothing. */
  readonly matrices: readonly JudgedKernel[];
}

/** Kernels by how they can be judged. Features are left out, for Deno has none of theirs. */
export function foreignKernels(kernels: readonly JudgedKernel[]): ForeignKernels {
  const plain = kernels.map((kernel) => ({ ...kernel, features: [] }));
  const matrices = plain.filter(({ text }) => text.includes(MATRICES));
  const others = plain.filter((kernel) => !matrices.includes(kernel));
  // lines stay where they are, so that messages name the right ones
  const subgroups = others
    .map((kernel) => ({ ...kernel, text: kernel.text.replace(NAMES_SUBGROUPS, '') }))
    .filter(({ text }, i) => text !== others[i]!.text);
  const whole = others.filter(({ text }) => text.replace(NAMES_SUBGROUPS, '') === text);
  return { whole, subgroups, matrices };
}

/** Whether all that naga lacked was the feature: the text was read, and its types are sound. */
export function lacksTheFeatureAlone({ message }: Refusal): boolean {
  return message.includes('requires capability Capabilities(SUBGROUP)');
}
