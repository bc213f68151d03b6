// A classifier's pools that read the mean over space of every block: two linear layers, with ReLU between them or with
// GroupNorm and SiLU. They compute in float32 in every precision.

import type { ModuleDef } from './layer.ts';
import { type Norm, normFact } from './norm.ts';
import { affine } from './part.ts';
import type { Scope } from './scope.ts';

export interface SpatialPool {
  /** Channels of all blocks together. */
  readonly channels: number;
  readonly classes: number;
}

export interface SpatialPoolV2 extends SpatialPool {
  readonly norm: Norm;
}

/** Features between the linear layers. */
export const SPATIAL_FEATURES = 2048;

type Linear = 'linear1' | 'linear2';

export const spatial_pool = {
  parameters: linearLayers,
  /** `x` are the means, [B, channels, 1, ...]; the result is [B, classes]. */
  lower(module, at, x) {
    const h = at.linear('linear1', asRows(module, at, x));
    return at.linear('linear2', at.b.add('relu', [h], {}, at.path('relu')));
  },
  facts: {},
} as const satisfies ModuleDef<SpatialPool, Linear | 'relu'>;

export const spatial_pool_v2 = {
  parameters: (module) => {
    const [first, bias, ...second] = linearLayers(module);
    return [first!, bias!, ...affine('norm', [SPATIAL_FEATURES]), ...second];
  },
  lower(module, at, x) {
    const { b } = at;
    const features = at.linear('linear1', asRows(module, at, x));
    const shape = b.typeOf(features).shape;
    const activation = b.add('reshape', [features], { shape: [...shape, 1] }, at.path('norm'));
    const h = b.add('silu', [at.norm('norm', activation, module.norm)], {}, at.path('silu'));
    return at.linear('linear2', b.add('reshape', [h], { shape }, at.path('silu')));
  },
  facts: { norm: normFact },
} as const satisfies ModuleDef<SpatialPoolV2, Linear | 'norm' | 'silu'>;

function linearLayers({ channels, classes }: SpatialPool) {
  return [
    ...affine('linear1' as const, [SPATIAL_FEATURES, channels]),
    ...affine('linear2' as const, [classes, SPATIAL_FEATURES]),
  ];
}

function asRows<P extends string>({ channels }: SpatialPool, at: Scope<P>, x: number): number {
  return at.b.add('reshape', [x], { shape: [at.b.typeOf(x).shape[0]!, channels] }, at.path());
}
