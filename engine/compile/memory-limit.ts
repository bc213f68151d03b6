// The limit on memory: the most that the packed weights and the activations of a model may take on the device.

import { type Manifest, memoryOf } from '../../runtime/bundle.ts';
import { UsageError } from '../errors.ts';

/**
 * Throws UsageError where a compiled model takes more than `limit`, with what takes how much. A graph was compiled to
 * take as little as it can by then; of a bundle that is not known.
 */
export function checkMemory(
  manifest: Pick<Manifest, 'name' | 'batch' | 'image_size' | 'memory'>,
  limit: number | undefined,
  kind: 'graph' | 'bundle',
): void {
  const needed = memoryOf(manifest);
  if (limit === undefined || needed <= limit) return;
  const { name, batch, image_size, memory } = manifest;
  const images = `${batch} ${batch === 1 ? 'image' : 'images'} of ${image_size.join('x')}`;
  throw new UsageError((option) => {
    const smaller =
      batch > 1 ? `a smaller ${option('batch')} or ${option('size')}` : `a smaller ${option('size')}`;
    const advice =
      kind === 'bundle'
        ? `compile its graph with ${option('memory')}, for kernels that need less`
        : `this is the least that its kernels need; use ${smaller}, or ${option('memory')} ${megabytesUp(needed)}`;
    return (
      `${option('memory')} ${megabytes(limit)}: ${name} for ${images} takes ${megabytes(needed)}: ` +
      `weights ${megabytes(memory.weights)}, activations ${megabytes(memory.activations)}; ${advice}`
    );
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
}

/** A limit that suffices, as it is typed. */
function megabytesUp(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)}MB`;
}
