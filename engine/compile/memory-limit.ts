// `--memory`: the most that the packed weights and the activations of a model may take on the device.

import { UsageError } from '../../cli/context.ts';
import { type Manifest, memoryOf } from '../../runtime/bundle.ts';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** `600MB`, `1.5 GiB` or a plain number of bytes. Throws UsageError. */
export function parseMemory(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const scale = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()]! : Number.NaN;
  const bytes = Math.floor(Number(number) * scale);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new UsageError(`--memory: found '${text}', expected bytes such as 600MB, 1.5GB or 512MiB`);
}

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
  const smaller = batch > 1 ? 'a smaller --batch or --size' : 'a smaller --size';
  const advice =
    kind === 'bundle'
      ? 'compile its graph with --memory, for kernels that need less'
      : `this is the least that its kernels need; use ${smaller}, or --memory ${megabytesUp(needed)}`;
  throw new UsageError(
    `--memory ${megabytes(limit)}: ${name} for ${images} takes ${megabytes(needed)}: ` +
      `weights ${megabytes(memory.weights)}, activations ${megabytes(memory.activations)}; ${advice}`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
}

/** A limit that suffices, as it is typed. */
function megabytesUp(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)}MB`;
}
