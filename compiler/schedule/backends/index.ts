// The table of backends: how a target's products are computed, as the schedule sees it.

import type { Precision } from '../../precision.ts';
import { DEFAULT_LIMITS, type Target } from '../../target.ts';
import type { Backend } from './backend.ts';
import { half } from './half.ts';
import { matrix } from './matrix.ts';
import { subgroup } from './subgroup.ts';
import { workgroup } from './workgroup.ts';

const BACKENDS: Readonly<Record<Target['products'], (target: Target) => Backend>> = {
  workgroup,
  half,
  matrix,
  subgroup: () => subgroup,
};

export function backendOf(target: Target): Backend {
  return BACKENDS[target.products](target);
}

/**
 * The target as it computes a precision. A target whose backend has no kernels for the precision runs the kernels of the
 * workgroup backend, within the default limits.
 */
export function targetAt(target: Target, precision: Precision): Target {
  if (backendOf(target).precisions.includes(precision)) return target;
  const { maxComputeWorkgroupStorageSize } = DEFAULT_LIMITS;
  const limits = { ...target.limits, maxComputeWorkgroupStorageSize };
  return { ...target, products: 'workgroup', matrices: null, features: [], limits };
}
