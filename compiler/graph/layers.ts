// What each layer type does to channels and sizes: the one place that knows, for both forms and every rule.

import { invariant } from '../diagnostics.ts';
import type { Graph, Layer } from './graph.ts';
import { resampleFactors } from './resample.ts';

/** Channels that a layer takes. */
export function layerInChannels(layer: Layer): number {
  return layer.type === 'conv' || layer.type === 'res_block' ? layer.in_channels : layer.channels;
}

/** Channels that a layer gives. */
export function layerOutChannels(layer: Layer): number {
  return layer.type === 'conv' || layer.type === 'res_block' ? layer.out_channels : layer.channels;
}

/** Whether downsampling and upsampling change a dimension of so many: all but the depth of 3D. */
export function isResampled(dims: number, axis: number): boolean {
  return resampleFactors(dims as Graph['dims'])[axis] === 2;
}

/** One resampled dimension after a layer. Convolution (kernel 3, stride 2, padding 1) rounds up, pooling down. */
export function resample(layer: Layer, n: number): number {
  switch (layer.type) {
    case 'downsample':
      return layer.method === 'conv' ? Math.ceil(n / 2) : Math.floor(n / 2);
    case 'upsample':
      return n * 2;
    case 'conv':
    case 'res_block':
    case 'attention':
      return n;
  }
}

/** Size of a layer's output, dimension by dimension. */
export function layerOutSize(layer: Layer, size: readonly number[]): readonly number[] {
  return size.map((n, axis) => (isResampled(size.length, axis) ? resample(layer, n) : n));
}

/** Channels that enter the first layer: an image, and with super-resolution the upsampled low_res beside it. */
export function entryChannels(graph: {
  readonly in_channels: number;
  readonly super_resolution?: unknown;
}): number {
  return graph.in_channels * (graph.super_resolution ? 2 : 1);
}

/** The last element of a list that has one. */
export function last<T>(items: readonly T[]): T {
  const item = items.at(-1);
  invariant(item !== undefined, 'last of an empty list');
  return item;
}
