// Rules on sizes: every image size has one number for each dimension, and what the way down halves, the way up meets.

import type { Diagnostic } from '../diagnostics.ts';
import { blockPath, type DraftBlock } from '../families/blocks.ts';
import type { Draft } from '../families/draft.ts';
import { LIMITS } from '../format/fields.ts';
import { isResampled, layerLevels, levelsDown, resample } from '../layers/queries.ts';
import { count, either } from './words.ts';

const AXES: Readonly<Record<number, readonly string[]>> = {
  1: ['length'],
  2: ['height', 'width'],
  3: ['depth', 'height', 'width'],
};

/** Spatial sizes as they were said, and where. */
export interface SaidSize {
  readonly value: number | readonly number[];
  readonly pointer: string;
  /** What messages call it: `image_size`, `the requested size`. */
  readonly label: string;
}

/** One number for each dimension, or the fault G014. */
export function resolveSize(said: SaidSize, dims: number): readonly number[] | Diagnostic {
  if (typeof said.value === 'number') return Array.from({ length: dims }, () => said.value as number);
  if (said.value.length === dims) return [...said.value];
  const message = `${said.label} has ${count(said.value.length, 'number')} but dims is ${dims}; give one number, or ${dims} (${AXES[dims]!.join(', ')})`;
  return { severity: 'error', code: 'G014', pointer: said.pointer, message };
}

/** Where one dimension does not come back: an output block and the input block it pops, or the end. */
interface Mismatch {
  readonly block: DraftBlock | null;
  readonly skip: number;
  readonly arriving: number;
  readonly pushed: number;
}

/** Follows one dimension of `n` through all blocks; null where every skip and the output fit. */
function follow(draft: Draft, n: number): Mismatch | null {
  const pushed: number[] = [];
  let size = n;
  for (const block of draft.blocks) {
    if (block.role === 'output') {
      const skip = pushed.pop();
      if (skip === undefined) return null;
      if (skip !== size || size < 1) return { block, skip: pushed.length, arriving: size, pushed: skip };
    }
    for (const layer of block.layers) size = resample(layer, size);
    if (block.role === 'input') pushed.push(size);
  }
  const ends = draft.pool ? size >= 1 : size === n;
  return ends ? null : { block: null, skip: 0, arriving: size, pushed: n };
}

/** G013 where another size would fit, G016 where none can: then the resampling layers themselves do not pair up. */
export function checkSizes(draft: Draft, said: SaidSize, size: readonly number[]): readonly Diagnostic[] {
  const lean = withoutPlainLayers(draft);
  const faults: Diagnostic[] = [];
  for (const [axis, n] of size.entries()) {
    if (!isResampled(size.length, axis)) continue;
    const wrong = follow(lean, n);
    if (!wrong) continue;
    const fits = nearestFits(lean, n);
    if (fits.length === 0) return [cannotPair(wrong)];
    const scalar = typeof said.value === 'number';
    const pointer = scalar || said.label !== 'image_size' ? said.pointer : `${said.pointer}/${axis}`;
    const name = scalar ? said.label : `${said.label}'s ${AXES[size.length]![axis]}`;
    const message = `${name} ${n} does not survive the downsamplings: ${explain(wrong)}; the nearest that ${fits.length > 1 ? 'do are' : 'does is'} ${either(fits).replace(' or ', ' and ')}`;
    faults.push({ severity: 'error', code: 'G013', pointer, message });
    if (scalar) break;
  }
  return faults;
}

function explain({ block, skip, arriving, pushed }: Mismatch): string {
  if (block === null) return `the output has ${arriving} where the image has ${pushed}`;
  const from = blockPath({ role: 'input', index: skip });
  return `${blockPath(block)} is given ${arriving} from below and ${pushed} from ${from}`;
}

function cannotPair(wrong: Mismatch): Diagnostic {
  const pointer = wrong.block ? `/blocks/output/${wrong.block.index}` : '/blocks/output';
  const message = `${explain(wrong)}, and no image size changes that; pair each downsample with an upsample at the same depth`;
  return { severity: 'error', code: 'G016', pointer, message };
}

/** The nearest sizes below and above that fit, at most as far away as two periods of all downsamplings. */
function nearestFits(draft: Draft, n: number): readonly number[] {
  const downs = levelsDown(draft.blocks.flatMap((b) => b.layers));
  const reach = 2 ** Math.min(downs + 1, 16);
  const fits = (m: number): boolean => follow(draft, m) === null;
  const found: number[] = [];
  for (let m = n - 1; m >= Math.max(1, n - reach); m--) {
    if (!fits(m)) continue;
    found.push(m);
    break;
  }
  for (let m = n + 1; m <= Math.min(LIMITS.size, n + reach); m++) {
    if (!fits(m)) continue;
    found.push(m);
    break;
  }
  return found;
}

/** The draft with resampling layers alone: all that a size depends on. */
function withoutPlainLayers(draft: Draft): Draft {
  const blocks = draft.blocks.map((block) => ({
    ...block,
    layers: block.layers.filter((layer) => layerLevels(layer) !== 0),
  }));
  return { ...draft, blocks };
}
