// A dispatch in words, for messages.

import type { Manifest } from './bundle.ts';

/** Its number, the kernel's file, the block that it computes for, and the parameters that it reads. */
export function describeDispatch(
  { dispatches, kernels, weights }: Pick<Manifest, 'dispatches' | 'kernels' | 'weights'>,
  index: number,
): string {
  const { kernel, path, group, bindings } = dispatches[index]!;
  const parameters = bindings.flatMap((binding) =>
    binding.kind === 'weights' ? weights[binding.weights]!.parts.map(({ param }) => param) : [],
  );
  const read = parameters.length === 0 ? 'no parameters' : [...new Set(parameters)].join(', ');
  return (
    `dispatch ${index + 1} of ${dispatches.length}, kernels/${kernels[kernel]!.file} of ${path} (${group.trim()}), ` +
    `which reads ${read}`
  );
}
