// Which target a graph is compiled for: the one that is named, or the best for an adapter.

import {
  type AdapterFacts,
  chooseTarget,
  findTarget,
  GENERIC,
  TARGETS,
  type Target,
} from '../../compiler/target.ts';
import type { InspectedAdapter } from '../../runtime/host/node/dawn.ts';
import { UsageError } from '../errors.ts';

/** The name that leaves the choice to the adapter. */
export const AUTO = 'auto';

/**
 * The target of a name; for `auto` or none the one to use on the adapter `inspected`, and without an adapter the one
 * that runs everywhere. Throws UsageError for a name that no target has.
 */
export function targetFor(name: string | undefined, inspected?: InspectedAdapter): Target {
  if (name === undefined || name === AUTO) {
    if (inspected === undefined) return GENERIC;
    return chooseTarget(factsOf(inspected));
  }
  const found = findTarget(name);
  if (found !== undefined) return found;
  const known = [...TARGETS.map((target) => target.name), AUTO].join(', ');
  throw new UsageError((option) => `${option('target')}: found '${name}', expected one of ${known}`);
}

/** What targets are chosen by. */
export function factsOf({ adapter, features, limits, matrices }: InspectedAdapter): AdapterFacts {
  return {
    vendor: adapter.vendor,
    features,
    software: adapter.isFallback,
    subgroupMinSize: adapter.subgroupMinSize || undefined,
    subgroupMaxSize: adapter.subgroupMaxSize || undefined,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize ?? 0,
    matrices,
  };
}
