// What a GPU must offer: limits and features as plain data, and the profiles that are known by name.

/** The limits of WebGPU that kernels depend on. */
export interface TargetLimits {
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
}

export interface Target {
  readonly name: string;
  readonly limits: TargetLimits;
  readonly features: readonly string[];
}

/** The limits that every WebGPU adapter has. Source: WebGPU specification, "Limits". */
export const DEFAULT_LIMITS: TargetLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
  maxBufferSize: 256 * 1024 * 1024,
};

/** The profiles. `generic` runs wherever WebGPU runs. */
export const TARGETS: readonly Target[] = [{ name: 'generic', limits: DEFAULT_LIMITS, features: [] }];

/** The profile of a name, or undefined. */
export function findTarget(name: string): Target | undefined {
  return TARGETS.find((target) => target.name === name);
}
