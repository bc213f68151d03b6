// The one place that opens Dawn, the WebGPU of Node.

import { env, platform } from 'node:process';
import {
  type AdapterDescription,
  type DeviceRequirements,
  describeAdapter,
  limitsOf,
  type MatrixConfig,
  matricesOf,
} from '../../adapter.ts';
import { RuntimeError } from '../../errors.ts';
import { type OpenedDevice, requestDevice } from '../../opened-device.ts';
import type { Pacing } from '../../pacing.ts';
import { createPause } from './pause.ts';
import { unhurried } from './unhurried.ts';

/**
 * The objects that Dawn's `create` returned, until their devices are gone: when one is collected before, the
 * process aborts or hangs.
 */
const alive = new Set<GPU>();

/** Dawn is asked for events: calmly while a pass runs, after half of the time that it will take. */
const PACING: Pacing = { unhurried, createPause };

export interface DawnOptions {
  /** `null` compiles shaders, builds pipelines and enforces limits, and computes nothing. */
  readonly backend?: 'null';
  /** Part of an adapter's name; default: the environment's UNETC_ADAPTER, else Dawn's choice. */
  readonly adapter?: string;
  /** Dawn toggles to switch on, beside those of the environment's UNETC_DAWN_TOGGLES (comma-separated). */
  readonly toggles?: readonly string[];
  /** Dawn toggles to switch off. */
  readonly disabledToggles?: readonly string[];
}

export interface OpenOptions extends DawnOptions {
  readonly requires?: DeviceRequirements;
}

/** An adapter with all that it offers. */
export interface InspectedAdapter {
  readonly adapter: AdapterDescription;
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  /** What its matrix units multiply; empty where it has none. */
  readonly matrices: readonly MatrixConfig[];
}

/** What WebGPU grants everywhere. */
export const nothingRequired: DeviceRequirements = { features: [], limits: {} };

/** Toggles without which Dawn hides what some drivers can do. */
const featureToggles: Readonly<Record<string, readonly string[]>> = {
  'shader-f16': ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'],
  'chromium-experimental-subgroup-matrix': ['allow_unsafe_apis'],
};

const noAdapter =
  'no GPU adapter: Dawn finds no Vulkan driver that works here\n' +
  '`unetc doctor` says what to install (Debian and Ubuntu: mesa-vulkan-drivers, Mesa 25 or newer)';

/**
 * Opens a device with exactly the features and limits of `requires`.
 *
 * Throws RuntimeError('adapter') where there is no adapter, or one that lacks something. The process may end
 * while a device is open; `close` gives it back earlier.
 */
export async function openDevice(options: OpenOptions = {}): Promise<OpenedDevice> {
  const requires = options.requires ?? nothingRequired;
  const toggles = requires.features.flatMap((name) => featureToggles[name] ?? []);
  const gpu = await createGpu({ ...options, toggles: [...toggles, ...(options.toggles ?? [])] });
  try {
    const request = async (twin: OpenedDevice['twin']) =>
      requestDevice(await requestAdapter(gpu), requires, {
        backend: backendName(options),
        pacing: PACING,
        twin,
      });
    const opened = await request(hasDriverCache() ? () => request(null) : null);
    void opened.lost.then(() => alive.delete(gpu));
    return opened;
  } catch (error) {
    alive.delete(gpu);
    throw error;
  }
}

/** Opens Dawn's null backend: the GPU of tests without a GPU, with WebGPU's default limits. */
export function openNullDevice(requires: DeviceRequirements = nothingRequired): Promise<OpenedDevice> {
  return openDevice({ backend: 'null', requires });
}

/** What the adapter that `openDevice` would take offers. Throws RuntimeError('adapter') where there is none. */
export async function inspectAdapter(options: DawnOptions = {}): Promise<InspectedAdapter> {
  const toggles = [...Object.values(featureToggles).flat(), ...(options.toggles ?? [])];
  const gpu = await createGpu({ ...options, toggles });
  try {
    const adapter = await requestAdapter(gpu);
    return {
      adapter: describeAdapter(adapter.info, backendName(options)),
      features: new Set([...adapter.features].sort()),
      limits: limitsOf(adapter.limits),
      matrices: matricesOf(adapter.info),
    };
  } finally {
    alive.delete(gpu);
  }
}

/** The names of all adapters of the platform's backend; empty where there is none. */
export async function listAdapters(): Promise<readonly string[]> {
  // Dawn has no call for this; it lists its adapters when it is asked for one by a name that none has.
  const gpu = await createGpu({ adapter: 'none has this name' });
  try {
    await gpu.requestAdapter();
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [...message.matchAll(/name: '([^']*)'/g)].map((match) => match[1] ?? '');
  } finally {
    alive.delete(gpu);
  }
}

/** Whether Mesa keeps what it compiles on disk, from where a second device of the process has it. */
function hasDriverCache(): boolean {
  return !/^(1|true|y|yes)$/i.test(env.MESA_SHADER_CACHE_DISABLE ?? '');
}

function backendName(options: DawnOptions): string {
  if (options.backend) return options.backend;
  return platform === 'darwin' ? 'metal' : platform === 'win32' ? 'd3d12' : 'vulkan';
}

async function createGpu(options: DawnOptions): Promise<GPU> {
  const { create, globals } = await loadDawn();
  // GPUBufferUsage and its kin, which a browser has as globals.
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  const fromEnv = (env.UNETC_DAWN_TOGGLES ?? '').split(',').filter((name) => name.trim() !== '');
  const toggles = [...new Set([...(options.toggles ?? []), ...fromEnv.map((name) => name.trim())])];
  const disabled = options.disabledToggles ?? [];
  const adapter = options.adapter ?? env.UNETC_ADAPTER;
  const gpu = create([
    ...(options.backend ? [`backend=${options.backend}`] : []),
    ...(adapter && !options.backend ? [`adapter=${adapter}`] : []),
    ...(toggles.length > 0 ? [`enable-dawn-features=${toggles.join(',')}`] : []),
    ...(disabled.length > 0 ? [`disable-dawn-features=${disabled.join(',')}`] : []),
  ]);
  alive.add(gpu);
  return gpu;
}

async function loadDawn(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RuntimeError(
      'adapter',
      `Dawn (the webgpu package) cannot be loaded on this system: ${reason}`,
      {
        cause: error,
      },
    );
  }
}

async function requestAdapter(gpu: GPU): Promise<GPUAdapter> {
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    const hint = env.UNETC_ADAPTER ? ` (UNETC_ADAPTER is '${env.UNETC_ADAPTER}')` : '';
    throw new RuntimeError('adapter', `no such GPU adapter${hint}: ${reason}`, { cause: error });
  }
  if (!adapter) throw new RuntimeError('adapter', noAdapter);
  return adapter;
}
