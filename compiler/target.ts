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
   * How products are computed. `workgroup`: by tiles in workgroup memory, as GPUs want it. `matrix`: float16 products by
   * the matrix units of subgroups of 32 lanes. `subgroup`: by single subgroups of 8 lanes without workgroup memory, as
   * processors want it.
   */
  readonly products: 'workgroup' | 'matrix' | 'subgroup';
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

/** NVIDIA GPUs from Turing on: matrix units that multiply float16 into float32, 48 KiB of workgroup memory. */
export const NVIDIA: Target = {
  name: 'nvidia',
  products: 'matrix',
  limits: { ...DEFAULT_LIMITS, maxComputeWorkgroupStorageSize: 49152 },
  features: ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'],
};

/** Processors that run shaders, such as Mesa's lavapipe: a subgroup is one vector of 8 lanes. */
export const SOFTWARE: Target = {
  name: 'software',
  products: 'subgroup',
  limits: DEFAULT_LIMITS,
  features: ['subgroups'],
};

/** What is known of an adapter. */
export interface AdapterFacts {
  readonly features: ReadonlySet<string>;
  /** Whether it is a processor that runs shaders. */
  readonly software: boolean;
  /** Lanes of its smallest and its largest subgroup; undefined where it does not say. */
  readonly subgroupMinSize: number | undefined;
  readonly subgroupMaxSize: number | undefined;
  readonly maxComputeWorkgroupStorageSize: number;
  /** What its matrix units multiply. */
  readonly matrices: readonly MatrixConfig[];
}

/** Matrices of M x K and K x N elements of one type, with a sum of another. */
export interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** A profile, and the adapters that it suits. */
interface Profile {
  readonly target: Target;
  readonly suits: (adapter: AdapterFacts) => boolean;
}

/** The profiles. Where several suit an adapter, the last of them is chosen. */
const PROFILES: readonly Profile[] = [
  { target: GENERIC, suits: () => true },
  { target: NVIDIA, suits: runsMatrices },
  { target: SOFTWARE, suits: ({ software, subgroupMaxSize }) => software && subgroupMaxSize === 8 },
];

export const TARGETS: readonly Target[] = PROFILES.map(({ target }) => target);

/** The profile that suits an adapter best, of those whose features it has. */
export function chooseTarget(adapter: AdapterFacts): Target {
  const offers = (target: Target) => target.features.every((name) => adapter.features.has(name));
  return PROFILES.findLast(({ target, suits }) => offers(target) && suits(adapter))?.target ?? GENERIC;
}

/** Whether an adapter has the matrices, the subgroups and the workgroup memory that the matrix kernels are written for. */
function runsMatrices(adapter: AdapterFacts): boolean {
  const { subgroupMinSize, subgroupMaxSize, maxComputeWorkgroupStorageSize, matrices } = adapter;
  const fits = (config: MatrixConfig) =>
    config.componentType === 'f16' &&
    config.resultComponentType === 'f32' &&
    [config.M, config.N, config.K].every((size) => size === 16);
  return (
    subgroupMinSize === 32 &&
    subgroupMaxSize === 32 &&
    maxComputeWorkgroupStorageSize >= NVIDIA.limits.maxComputeWorkgroupStorageSize &&
    matrices.some(fits)
  );
}

/** The profile of a name, or undefined. */
export function findTarget(name: string): Target | undefined {
  return TARGETS.find((target) => target.name === name);
}
