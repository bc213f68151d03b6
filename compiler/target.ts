// What a GPU must offer: limits and features as plain data, and the profiles that are known by name.

/** The limits of WebGPU that kernels depend on. */
export interface TargetLimits {
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxStorageTexturesPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxTextureDimension2D: number;
}

export interface Target {
  readonly name: string;
  /**
   * How products are computed: `workgroup` by tiles in workgroup memory, as GPUs want it; `subgroup` by single
   * subgroups of 8 lanes without workgroup memory, as processors want it.
   */
  readonly products: 'workgroup' | 'subgroup';
  readonly limits: TargetLimits;
  readonly features: readonly string[];
}

/** The limits that every WebGPU adapter has. Source: WebGPU specification, "Limits". */
export const DEFAULT_LIMITS: TargetLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageTexturesPerShaderStage: 4,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
  maxBufferSize: 256 * 1024 * 1024,
  maxTextureDimension2D: 8192,
};

/** Runs wherever WebGPU runs. */
export const GENERIC: Target = {
  name: 'generic',
  products: 'workgroup',
  limits: DEFAULT_LIMITS,
  features: [],
};

/** Processors that run shaders, such as Mesa's lavapipe: a subgroup is one vector of 8 lanes. */
export const SOFTWARE: Target = {
  name: 'software',
  products: 'subgroup',
  limits: DEFAULT_LIMITS,
  features: ['subgroups'],
};

/** The profiles. */
export const TARGETS: readonly Target[] = [GENERIC, SOFTWARE];

/** What is known of an adapter. */
export interface AdapterFacts {
  readonly features: ReadonlySet<string>;
  /** Whether it is a processor that runs shaders. */
  readonly software: boolean;
  /** Lanes of its largest subgroup; undefined where it does not say. */
  readonly subgroupMaxSize: number | undefined;
}

/** The profile that suits an adapter best. */
export function chooseTarget(adapter: AdapterFacts): Target {
  const vector = adapter.software && adapter.subgroupMaxSize === 8;
  return vector && SOFTWARE.features.every((name) => adapter.features.has(name)) ? SOFTWARE : GENERIC;
}

/** The profile of a name, or undefined. */
export function findTarget(name: string): Target | undefined {
  return TARGETS.find((target) => target.name === name);
}
