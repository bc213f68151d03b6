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
import { createMute, type Mute } from './native-output.ts';
import { createPause } from './pause.ts';
import { borrowDevice } from './spare-devices.ts';
import { unhurried } from './unhurried.ts';

/**
 * What Dawn's `create` returned, by its options, for as long as the process lives: each has threads, a descriptor and
 * megabytes that it never gives back, and the process aborts or hangs where one is collected before its devices are.
 */
const instances = new Map<string, GPU>();

/** Keeps Dawn's own lines off the streams of the process; made with the first instance. */
let mute: Mute | null = null;

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
  /** Keeps all of Dawn's care for memory, whatever `toggles` and the environment's UNETC_DAWN_TOGGLES say. Default false. */
  readonly robust?: boolean;
  /** Leaves out the second device that compiles beside the first: on a processor what it takes is this process's. Default false. */
  readonly alone?: boolean;
}

export interface OpenOptions extends DawnOptions {
  readonly requires?: DeviceRequirements;
  /** Seconds without a sign of life after which work on it is given up; default: what suits the work. */
  readonly timeout?: number | undefined;
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

/**
 * The toggles that take Dawn's care for memory out of kernels: the check of every access, and zeros in the memory of every
 * workgroup. Kernels that are known to need neither run without; the check of every call stays, which costs nothing that
 * was measured.
 */
export const UNCHECKED: readonly string[] = ['disable_robustness', 'disable_workgroup_init'];

/** Toggles that what is not known to be sound never runs with, whoever asks for them. */
const UNSOUND: ReadonlySet<string> = new Set([...UNCHECKED, 'skip_validation']);

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
 * while a device is open; `close` gives it back earlier, to the next who wants one like it.
 */
export async function openDevice(options: OpenOptions = {}): Promise<OpenedDevice> {
  const requires = options.requires ?? nothingRequired;
  const toggles = requires.features.flatMap((name) => featureToggles[name] ?? []);
  const dawn = { ...options, toggles: [...toggles, ...(options.toggles ?? [])] };
  const gpu = await instanceOf(dawn);
  const { features, limits } = requires;
  const differing = [
    flagsOf(dawn),
    options.alone === true,
    [...features].sort(),
    Object.entries(limits).sort(),
  ];
  const key = JSON.stringify(differing);
  const open = async (twin: OpenedDevice['twin']) =>
    requestDevice(await requestAdapter(gpu), requires, {
      backend: backendName(options),
      pacing: PACING,
      allocate: (bytes) => Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer,
      twin,
      prepare,
    });
  // A twin is not kept: what it compiled is in the driver's cache, and lavapipe's devices take some 20 MB each, with half a
  // megabyte a kernel.
  const twin = hasDriverCache() && options.alone !== true ? () => open(null) : null;
  return borrowDevice({ key, timeout: options.timeout ?? null }, () => open(twin));
}

/** Dawn prints a compiler's warnings on stdout, while the call that makes a module runs. */
function prepare(device: GPUDevice): void {
  const create = device.createShaderModule.bind(device);
  const value: GPUDevice['createShaderModule'] = (descriptor) => muted(() => create(descriptor));
  Object.defineProperty(device, 'createShaderModule', { value });
}

/** What a call into Dawn gives, without what it prints. */
function muted<T>(work: () => T): T {
  mute ??= createMute();
  return mute(work);
}

/** Opens Dawn's null backend: the GPU of tests without a GPU, with WebGPU's default limits. */
export function openNullDevice(requires: DeviceRequirements = nothingRequired): Promise<OpenedDevice> {
  return openDevice({ backend: 'null', requires });
}

/** What the adapter that `openDevice` would take offers. Throws RuntimeError('adapter') where there is none. */
export async function inspectAdapter(options: DawnOptions = {}): Promise<InspectedAdapter> {
  const toggles = [...Object.values(featureToggles).flat(), ...(options.toggles ?? [])];
  const adapter = await requestAdapter(await instanceOf({ ...options, toggles }));
  return {
    adapter: describeAdapter(adapter.info, backendName(options)),
    features: new Set([...adapter.features].sort()),
    limits: limitsOf(adapter.limits),
    matrices: matricesOf(adapter.info),
  };
}

/** The names of all adapters of the platform's backend; empty where there is none. */
export async function listAdapters(): Promise<readonly string[]> {
  // Dawn has no call for this; it lists its adapters when it is asked for one by a name that none has.
  const gpu = await instanceOf({ adapter: 'none has this name' });
  try {
    await muted(() => gpu.requestAdapter());
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [...message.matchAll(/name: '([^']*)'/g)].map((match) => match[1] ?? '');
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

/** The instance of Dawn with these options, which is made at the first call. */
async function instanceOf(options: DawnOptions): Promise<GPU> {
  const flags = flagsOf(options);
  const key = flags.join(' ');
  const { create, globals } = await loadDawn();
  const known = instances.get(key);
  if (known !== undefined) return known;
  // GPUBufferUsage and its kin, which a browser has as globals.
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  const gpu = muted(() => create([...flags]));
  instances.set(key, gpu);
  return gpu;
}

/** Options in the words of Dawn's binding. */
function flagsOf(options: DawnOptions): readonly string[] {
  const fromEnv = (env.UNETC_DAWN_TOGGLES ?? '').split(',').map((name) => name.trim());
  const asked = [...(options.toggles ?? []), ...fromEnv].filter((name) => name !== '');
  const toggles = [...new Set(asked.filter((name) => !(options.robust && UNSOUND.has(name))))].sort();
  const disabled = [...new Set(options.disabledToggles ?? [])].sort();
  const adapter = options.adapter ?? env.UNETC_ADAPTER;
  return [
    ...(options.backend ? [`backend=${options.backend}`] : []),
    ...(adapter && !options.backend ? [`adapter=${adapter}`] : []),
    ...(toggles.length > 0 ? [`enable-dawn-features=${toggles.join(',')}`] : []),
    ...(disabled.length > 0 ? [`disable-dawn-features=${disabled.join(',')}`] : []),
  ];
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
    adapter = await muted(() => gpu.requestAdapter({ powerPreference: 'high-performance' }));
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    const hint = env.UNETC_ADAPTER ? ` (UNETC_ADAPTER is '${env.UNETC_ADAPTER}')` : '';
    throw new RuntimeError('adapter', `no such GPU adapter${hint}: ${reason}`, { cause: error });
  }
  if (!adapter) throw new RuntimeError('adapter', noAdapter);
  return adapter;
}
