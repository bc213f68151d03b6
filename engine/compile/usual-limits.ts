// What a bundle asks for beyond the limits that every WebGPU has: said where it is compiled, not first where it cannot run.

import type { Diagnostic } from '../../compiler/diagnostics.ts';
import { DEFAULT_LIMITS, GENERIC } from '../../compiler/target.ts';
import type { Manifest } from '../../runtime/bundle.ts';

/** A warning for each limit that `generic`, which is to run everywhere, exceeds; none for another target. */
export function limitWarnings({
  target,
  requires,
}: Pick<Manifest, 'target' | 'requires'>): readonly Diagnostic[] {
  if (target !== GENERIC.name) return [];
  const usual: Readonly<Record<string, number>> = { ...DEFAULT_LIMITS };
  const beyond = Object.entries(requires.limits).filter(([name, value]) => value > (usual[name] ?? value));
  if (beyond.length === 0) return [];
  const found = beyond.map(([name, value]) => `${name} ${value} (everywhere: ${usual[name]})`).join(', ');
  return [
    {
      severity: 'warning',
      code: 'G022',
      pointer: '/image_size',
      message:
        `found buffers beyond what every adapter has: ${found}; adapters that offer less cannot run it, ` +
        'use a smaller image_size or batch for these',
    },
  ];
}
