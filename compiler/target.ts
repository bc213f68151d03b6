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
   * How products are computed. `workgroup`: by tiles in workgroup memory, as GPUs want it. `half`: float16 products likewise,
   * by arithmetic in float16. `matrix`: float16 products by matrix units. `subgroup`: by single subgroups of 8 lanes without
   * workgroup memory, as processors want it.
   */
  readonly products: 'workgroup' | 'half' | 'matrix' | 'subgroup';
  /** The units of `matrix`, null for all others. */
  readonly matrices: MatrixUnits | null;
  /** What choices take its GPUs for; null for processors, which few workgroups keep busy. */
  readonly pace: Pace | null;
  readonly limits: TargetLimits;
  readonly features: readonly string[];
}

/** How a GPU gets through work that is little for it: one of the middle of those that a target is for. */
export interface Pace {
  /** Workgroups of which it has one in every unit. */
  readonly workgroups: number;
  /** Microseconds from one dispatch to the next that reads what it wrote, and of a step: a load from memory and a barrier. */
  readonly dispatch_us: number;
  readonly step_us: number;
  /** 10⁹ bytes a second that streams reach. */
  readonly gb_per_s: number;
}

/** What matrix units multiply, and how large the tiles are that kernels for them compute. */
export interface MatrixUnits {
  /** An instruction adds M x K elements by K x N to M x N sums of float32. M, N and K divide 16. */
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** What its operands are made of, as they are staged. */
  readonly component: 'f16' | 'f32';
  /** Threads of a subgroup. */
  readonly lanes: number;
  /** Whether kernels ask for subgroups of so many, since the adapter has several sizes. */
  readonly pinned: boolean;
  /** Blocks of 16 rows of the largest tile, and its channels: what registers hold. */
  readonly blocks: 4 | 8;
  readonly channels: 32 | 64 | 128;
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
  matrices: null,
  pace: { workgroups: 64, dispatch_us: 4, step_us: 0.7, gb_per_s: 400 },
  limits: DEFAULT_LIMITS,
  features: [],
};

/** GPUs that compute in float16, by the kernels of `generic`: half the workgroup memory, and on many twice the rate. */
export const HALF: Target = {
  name: 'half',
  products: 'half',
  matrices: null,
  pace: GENERIC.pace,
  limits: DEFAULT_LIMITS,
  features: ['shader-f16'],
};

const MATRIX_FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'] as const;

/** Apple GPUs from M1 on: 8 x 8 matrices whose sums have the type of their operands, so float32; 32 KiB. */
export const APPLE: Target = {
  name: 'apple',
  products: 'matrix',
  matrices: { M: 8, N: 8, K: 8, component: 'f32', lanes: 32, pinned: false, blocks: 4, channels: 32 },
  pace: { workgroups: 20, dispatch_us: 6, step_us: 0.8, gb_per_s: 200 },
  limits: { ...DEFAULT_LIMITS, maxComputeWorkgroupStorageSize: 32768 },
  features: MATRIX_FEATURES,
};

/** Intel GPUs from Xe2 on: subgroups of 16 lanes are asked for, and tiles are what 128 registers of a lane hold. */
export const INTEL: Target = {
  name: 'intel',
  products: 'matrix',
  matrices: { M: 8, N: 16, K: 16, component: 'f16', lanes: 16, pinned: true, blocks: 4, channels: 64 },
  pace: { workgroups: 32, dispatch_us: 6, step_us: 0.8, gb_per_s: 450 },
  limits: { ...DEFAULT_LIMITS, maxComputeWorkgroupStorageSize: 32768 },
  features: [...MATRIX_FEATURES, 'subgroup-size-control'],
};

/** AMD GPUs from RDNA 3 on, which run subgroups of 32 and 64 lanes: those of 32 are asked for. */
export const AMD: Target = {
  name: 'amd',
  products: 'matrix',
  matrices: { M: 16, N: 16, K: 16, component: 'f16', lanes: 32, pinned: true, blocks: 8, channels: 128 },
  pace: { workgroups: 96, dispatch_us: 4, step_us: 0.7, gb_per_s: 770 },
  limits: { ...DEFAULT_LIMITS, maxComputeWorkgroupStorageSize: 49152 },
  features: [...MATRIX_FEATURES, 'subgroup-size-control'],
};

/** NVIDIA GPUs from Turing on: matrix units that multiply float16 into float32, 48 KiB of workgroup memory. */
export const NVIDIA: Target = {
  name: 'nvidia',
  products: 'matrix',
  matrices: { M: 16, N: 16, K: 16, component: 'f16', lanes: 32, pinned: false, blocks: 8, channels: 128 },
  pace: { workgroups: 128, dispatch_us: 2.5, step_us: 0.55, gb_per_s: 1600 },
  limits: { ...DEFAULT_LIMITS, maxComputeWorkgroupStorageSize: 49152 },
  features: MATRIX_FEATURES,
};

/** Processors that run shaders, such as Mesa's lavapipe: a subgroup is one vector of 8 lanes. */
export const SOFTWARE: Target = {
  name: 'software',
  products: 'subgroup',
  matrices: null,
  pace: null,
  limits: DEFAULT_LIMITS,
  features: ['subgroups'],
};

/** What is known of an adapter. */
export interface AdapterFacts {
  /** As it calls itself: `apple`, `amd`, `intel`, `nvidia`; empty where it does not say. */
  readonly vendor: string;
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

/** A profile, and what an adapter that has its features lacks beside them to be suited by it. */
interface Profile {
  readonly target: Target;
  readonly missing: (adapter: AdapterFacts) => readonly string[];
}

/** The profiles. Where several suit an adapter, the last of them is chosen. */
const PROFILES: readonly Profile[] = [
  { target: GENERIC, missing: () => [] },
  { target: HALF, missing: halfArithmetic },
  ...[APPLE, INTEL, AMD, NVIDIA].map((target) => ({
    target,
    missing: (adapter: AdapterFacts) => matrixUnits(target, adapter),
  })),
  {
    target: SOFTWARE,
    missing: ({ software, subgroupMaxSize }) =>
      software && subgroupMaxSize === 8 ? [] : ['a processor whose subgroups have 8 lanes'],
  },
];

export const TARGETS: readonly Target[] = PROFILES.map(({ target }) => target);

/** The profile that suits an adapter best. */
export function chooseTarget(adapter: AdapterFacts): Target {
  return TARGETS.findLast((target) => missingFor(target, adapter).length === 0) ?? GENERIC;
}

/** What an adapter lacks for `--target auto` to choose a target, in words; nothing where the target suits it. */
export function missingFor(target: Target, adapter: AdapterFacts): readonly string[] {
  const features = target.features.filter((name) => !adapter.features.has(name));
  const profile = PROFILES.find((one) => one.target === target);
  return [...features, ...(profile?.missing(adapter) ?? [])];
}

/** Processors compute float16 as float32 and round, and NVIDIA's drivers fail tests of it: both have better profiles. */
function halfArithmetic({ software, vendor }: AdapterFacts): readonly string[] {
  return software || vendor === 'nvidia' ? ['float16 arithmetic that is fast and sound'] : [];
}

/** What of the matrices, the subgroups and the workgroup memory that the matrix kernels need an adapter lacks. */
function matrixUnits({ matrices, limits }: Target, adapter: AdapterFacts): readonly string[] {
  if (matrices === null) return [];
  const { M, N, K, component, lanes, pinned } = matrices;
  const { subgroupMinSize: least, subgroupMaxSize: most } = adapter;
  const known = least !== undefined && most !== undefined;
  const suited = known && (pinned ? least <= lanes && lanes <= most : least === lanes && most === lanes);
  const multiplies = (one: MatrixConfig) =>
    one.componentType === component &&
    one.resultComponentType === 'f32' &&
    one.M === M &&
    one.N === N &&
    one.K === K;
  const bytes = limits.maxComputeWorkgroupStorageSize;
  return [
    ...(adapter.matrices.some(multiplies) ? [] : [`matrices ${component} ${M}x${N}x${K} into f32`]),
    ...(suited ? [] : [pinned ? `subgroups of ${lanes} lanes among others` : `subgroups of ${lanes} lanes`]),
    ...(adapter.maxComputeWorkgroupStorageSize >= bytes ? [] : [`${bytes / 1024} KiB of workgroup memory`]),
  ];
}

/** The profile of a name, or undefined. */
export function findTarget(name: string): Target | undefined {
  return TARGETS.find((target) => target.name === name);
}
