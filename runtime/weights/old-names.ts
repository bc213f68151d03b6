// Names that older versions wrote: diffusers called the projections of attention query, key, value and proj_attn, which is
// how most of its published checkpoints have them, and some kept them as convolutions of one position.
// Source: diffusers, modeling_utils.py (_convert_deprecated_attention_blocks).

import type { TensorInfo, WeightSource } from './source.ts';

const PROJECTION = /(^|\.)(attentions\.\d+\.)(query|key|value|proj_attn)(\.(?:weight|bias))$/;

const TODAY: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

/** The name that a tensor has today; its own where it never had another. */
export function nameToday(name: string): string {
  return name.replace(
    PROJECTION,
    (_, before: string, attention: string, projection: string, tensor: string) =>
      `${before}${attention}${TODAY[projection]}${tensor}`,
  );
}

/** Whether a name is one of today's projections, whose weights may have been convolutions of one position. */
const PROJECTION_TODAY = /(^|\.)attentions\.\d+\.to_(q|k|v|out\.0)\.weight$/;

/** Tensor by tensor what it is called and shaped today. */
export function tensorToday({ name, shape }: TensorInfo): TensorInfo {
  const today = nameToday(name);
  const pointwise = shape.length > 2 && shape.slice(2).every((size) => size === 1);
  return { name: today, shape: pointwise && PROJECTION_TODAY.test(today) ? shape.slice(0, 2) : shape };
}

/** The source read by the names of today; itself where it has no others. Where a tensor has both names the older is kept. */
export function weightsToday(source: WeightSource): WeightSource {
  const { tensors } = source;
  if (tensors === null) return source;
  const original = new Map<string, TensorInfo>();
  const taken = new Set(tensors.map(({ name }) => name));
  const today = tensors.map((tensor) => {
    const found = tensorToday(tensor);
    if (found.name !== tensor.name && taken.has(found.name)) return tensor;
    if (found.name !== tensor.name || found.shape.length !== tensor.shape.length)
      original.set(found.name, tensor);
    return found;
  });
  if (original.size === 0) return source;
  const renamed = [...original].filter(([name, tensor]) => name !== tensor.name).length;
  const note = `read ${renamed} tensors by the names that diffusers gives them today (query is to_q)`;
  return {
    ...source,
    tensors: today,
    notes: [...(source.notes ?? []), ...(renamed === 0 ? [] : [note])],
    read(name, shape, scratch) {
      const stored = original.get(name);
      return stored === undefined
        ? source.read(name, shape, scratch)
        : source.read(stored.name, stored.shape, scratch);
    },
    close: () => source.close(),
  };
}
