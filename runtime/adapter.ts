// Which adapter this is, what it offers and what a bundle needs beyond that. Plain WebGPU: a browser's too.

import { RuntimeError } from './errors.ts';

/** What a program needs beyond WebGPU's defaults: the `requires` of a bundle. */
export interface DeviceRequirements {
  readonly features: readonly string[];
  /** Limit names of GPUSupportedLimits with the least value that will do (the greatest, for alignments). */
  readonly limits: Readonly<Record<string, number>>;
}

/** What all of several bundles ask of a device. The limits of targets are upper ones. */
export function joinRequirements(all: readonly DeviceRequirements[]): DeviceRequirements {
  const limits: Record<string, number> = {};
  for (const [name, limit] of all.flatMap((one) => Object.entries(one.limits)))
    limits[name] = Math.max(limit, limits[name] ?? 0);
  return { features: [...new Set(all.flatMap(({ features }) => features))], limits };
}

export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  /** The driver, as it names itself. */
  readonly description: string;
  readonly backend: string;
  /** A software adapter, such as lavapipe. */
  readonly isFallback: boolean;
  /** Lanes of a subgroup; 0 where the implementation does not tell. */
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
}

/** One thing that an adapter lacks. */
export type Lack =
  | { readonly kind: 'feature'; readonly name: string }
  | { readonly kind: 'limit'; readonly name: string; readonly required: number; readonly offered: number };

/** Which adapter this is. `backend` is the caller's to know: WebGPU does not tell. */
export function describeAdapter(info: GPUAdapterInfo, backend: string): AdapterDescription {
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    backend,
    // browsers that do not know the field let no page have such an adapter
    isFallback: info.isFallbackAdapter ?? false,
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
  };
}

/** Matrices of M x K and K x N elements that are multiplied into M x N sums of another type. */
export interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** What the matrix units of an adapter multiply, as plain data. Only Dawn tells. */
export function matricesOf(info: GPUAdapterInfo): readonly MatrixConfig[] {
  const { subgroupMatrixConfigs = [] } = info as { readonly subgroupMatrixConfigs?: Iterable<MatrixConfig> };
  return Array.from(subgroupMatrixConfigs, ({ componentType, resultComponentType, M, N, K }) => {
    return { componentType, resultComponentType, M, N, K };
  });
}

/** The adapter in one line, as messages and reports print it. Where its names are numbers, as in Deno, the driver is its name. */
export function adapterLine(adapter: AdapterDescription): string {
  const { device, architecture, vendor, description } = adapter;
  const named = [device, architecture, vendor].find((name) => name !== '' && !/^\d+$/.test(name));
  const driver = named && description ? ` (${description})` : '';
  return `${named ?? (description || 'unknown adapter')}${driver}, ${adapter.backend}${adapter.isFallback ? ', software' : ''}`;
}

/** The limits of an adapter or device as plain data, in the order of their names. */
export function limitsOf(limits: GPUSupportedLimits): Readonly<Record<string, number>> {
  const all: Record<string, number> = {};
  // The values are getters of the prototype, which Object.entries does not see.
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') all[name] = value;
  }
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Everything in `requires` that features and limits do not cover; empty where the program can run. */
export function findLacks(
  offered: { readonly features: ReadonlySet<string>; readonly limits: Readonly<Record<string, number>> },
  requires: DeviceRequirements,
): readonly Lack[] {
  const lacks: Lack[] = [];
  for (const name of requires.features) {
    if (!offered.features.has(name)) lacks.push({ kind: 'feature', name });
  }
  for (const [name, required] of Object.entries(requires.limits)) {
    // A limit that the implementation has never heard of offers nothing.
    const value = Object.hasOwn(offered.limits, name) ? (offered.limits[name] ?? 0) : 0;
    // An alignment is better the smaller it is.
    const suffices = name.startsWith('min') ? value > 0 && value <= required : value >= required;
    if (!suffices) lacks.push({ kind: 'limit', name, required, offered: value });
  }
  return lacks;
}

/** The error for an adapter that cannot run a program, naming every lack and the way out. */
export function lacksError(adapter: AdapterDescription, lacks: readonly Lack[]): RuntimeError {
  const lines = lacks.map((lack) =>
    lack.kind === 'feature'
      ? `  feature ${lack.name}: required, not offered`
      : `  limit ${lack.name}: required ${lack.required}, offered ${lack.offered}`,
  );
  return new RuntimeError(
    'adapter',
    `the adapter ${adapterLine(adapter)} lacks what the bundle needs:\n${lines.join('\n')}\n` +
      'compile the graph with --target generic, where it already is with a smaller batch or image size, ' +
      'or run it on another adapter (`unetc doctor` lists them)',
  );
}
