// Opens a device for bundles, and makes them ready to run on it.

import { env } from 'node:process';
import { SOFTWARE } from '../../compiler/target.ts';
import { adapterLine, joinRequirements } from '../../runtime/adapter.ts';
import type { Bundle, Manifest } from '../../runtime/bundle.ts';
import { type DawnOptions, openDevice, UNCHECKED } from '../../runtime/host/node/dawn.ts';
import { collectGarbage } from '../../runtime/host/node/garbage.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import { createProgram, type Program, type ReadParameter } from '../../runtime/program.ts';
import { GRADIENT } from '../../runtime/sampler/classifier.ts';
import { compileWith } from '../compile/compile-with.ts';
import { checkMemory } from '../compile/memory-limit.ts';
import type { ModelSettings } from '../compile/model-settings.ts';
import { targetHere } from '../compile/target-here.ts';
import { foreignTuning } from '../compile/tuning-choice.ts';
import type { Host } from '../host.ts';
import type { ModelSource } from './model-source.ts';

/** What opening a model needs of its caller. */
export type OpenHost = Pick<Host, 'note' | 'stage'>;

/** A program with the device it is on. */
export interface OpenedProgram {
  readonly program: Program;
  readonly device: OpenedDevice;
  close(): Promise<void>;
}

/** Programs with the device that they share. */
export interface OpenedPrograms extends Omit<OpenedProgram, 'program'> {
  /** In the order of their bundles. */
  readonly programs: readonly Program[];
}

/** How programs are made ready to run, beyond what was compiled into them. */
export interface ProgramOptions extends ModelSettings {
  /** Seconds after which a pass that does not end is given up. */
  readonly timeout?: number | undefined;
}

/** A bundle with the values of its parameters. */
export interface ProgramPart {
  readonly bundle: Bundle;
  /** Whether it is what a graph compiles to: nothing else runs without Dawn's care for memory. */
  readonly verified: boolean;
  readonly read: ReadParameter;
}

/** How a device is opened beyond what a bundle asks for. */
export interface DeviceExtras extends DawnOptions {
  readonly features?: readonly string[];
}

/**
 * Dawn's zeroing of memory before its first use: on a processor it costs as much as the upload of the weights. Nothing
 * depends on it, as slots are taken by one value after the other, and weights that the host fills are written whole.
 */
const ZEROING = 'lazy_clear_resource_on_first_use';

/** Dawn's toggles that models of a target run without. */
export function needlessToggles(target: string): readonly string[] {
  return target === SOFTWARE.name ? [ZEROING] : [];
}

/**
 * Dawn's toggles that kernels of a target run with where this process wrote them, or where they are what it would write. On
 * a GPU the checks of accesses keep matrices from being loaded at known alignment and strides, and zeros are written for
 * every workgroup; a test holds that no kernel reaches beyond its memory or reads what it has not written
 * (test/device/unchecked.test.ts). UNETC_MEMORY_CHECKS keeps both all the same. Kernels for processors read textures,
 * whose checks cost them little.
 */
export function trustedToggles(target: string): readonly string[] {
  const kept = /^(1|true|y|yes)$/i.test(env.UNETC_MEMORY_CHECKS ?? '');
  return target === SOFTWARE.name || kept ? [] : UNCHECKED;
}

/**
 * Dawn puts what is below four megabytes into blocks of powers of two, and a texture is a little more than its texels: the
 * activations of a step of training would take half as much again. On a processor memory of one's own costs nothing.
 */
const OWN_MEMORY = 'disable_resource_suballocation';

function placingToggles(manifest: Manifest): readonly string[] {
  return trainsHere(manifest) ? [OWN_MEMORY] : [];
}

/** Whether it trains on a processor: the adapter's memory is that of this process, and all of it is needed at once. */
function trainsHere({ target, state }: Manifest): boolean {
  return target === SOFTWARE.name && state.length > 0;
}

/** Compiles a source where it is a graph, and makes it ready to run on the adapter that is here. */
export async function openProgram(
  source: ModelSource,
  read: ReadParameter,
  options: ProgramOptions,
  host: OpenHost,
  extras: DeviceExtras = {},
): Promise<OpenedProgram> {
  const bundle = await bundleOf(source, options);
  checkMemory(bundle.manifest, options.memory, source.kind);
  const { programs, device, close } = await openPrograms(
    [{ bundle, read, verified: isVerified(source) }],
    options,
    host,
    extras,
  );
  return { program: programs[0]!, device, close };
}

/** Whether the bundle of a source is what its graph compiles to. */
export function isVerified(source: ModelSource): boolean {
  return source.kind === 'graph' || source.verified;
}

/** The bundle of a source, which is compiled where it is a graph. */
export async function bundleOf(source: ModelSource, options: ModelSettings): Promise<Bundle> {
  if (source.kind === 'bundle') return source.bundle;
  return compileWith(source.graph, options, await targetHere(options.target), source).bundle;
}

/** Makes bundles ready to run on one device, which has what each of them asks for. */
export async function openPrograms(
  parts: readonly ProgramPart[],
  options: ProgramOptions,
  host: OpenHost,
  { features = [], disabledToggles = [], toggles = [], ...dawn }: DeviceExtras = {},
): Promise<OpenedPrograms> {
  const manifests = parts.map(({ bundle }) => bundle.manifest);
  const robust = !parts.every(({ verified }) => verified);
  const needless = manifests.map(({ target, weights }) =>
    robust || weights.some(({ filled }) => filled === 'dispatch') ? [] : needlessToggles(target),
  );
  const trusted = manifests.map((one) => (isForward(one) ? trustedToggles(one.target) : []));
  const requires = joinRequirements(manifests.map((manifest) => manifest.requires));
  const device = await openDevice({
    ...dawn,
    robust,
    timeout: options.timeout,
    alone: manifests.some(trainsHere),
    toggles: [...toggles, ...inAll(trusted), ...inAll(manifests.map(placingToggles))],
    disabledToggles: [...disabledToggles, ...inAll(needless)],
    requires: { ...requires, features: [...requires.features, ...features] },
  });
  const foreign = foreignTuning(options, device.adapter);
  if (foreign !== null) host.note(foreign);
  const kernels = new Set(manifests.flatMap((manifest) => manifest.kernels.map(({ sha256 }) => sha256)));
  host.stage(`compiling ${kernels.size} kernels for ${adapterLine(device.adapter)}`);
  if (!manifests.some(trainsHere)) return openOn(parts, device);
  // what compiling the graph left goes before the memory is taken, and what filling it left before it is used
  collectGarbage();
  const opened = await openOn(parts, device);
  collectGarbage();
  return opened;
}

/** Whether a bundle computes no gradients: their kernels are not among those that every day's tests count accesses of. */
function isForward({ passes, outputs }: Manifest): boolean {
  return passes.every(({ name }) => name === 'forward') && outputs.every(({ name }) => name !== GRADIENT);
}

/** What all lists have. */
function inAll([first = [], ...others]: readonly (readonly string[])[]): readonly string[] {
  return first.filter((toggle) => others.every((toggles) => toggles.includes(toggle)));
}

/** A program on a device that it takes over. */
export async function openCompiled(
  bundle: Bundle,
  read: ReadParameter,
  device: OpenedDevice,
): Promise<OpenedProgram> {
  const { programs, close } = await openOn([{ bundle, read, verified: true }], device);
  return { program: programs[0]!, device, close };
}

/** Programs one after the other, so that no two checkpoints are read at once; what they have in common compiles once. */
async function openOn(parts: readonly ProgramPart[], device: OpenedDevice): Promise<OpenedPrograms> {
  const programs: Program[] = [];
  const close = async () => {
    for (const program of programs) program.close();
    await device.close();
  };
  try {
    for (const { bundle, read } of parts) programs.push(await createProgram(bundle, read, device));
    return { programs, device, close };
  } catch (error) {
    await close();
    throw error;
  }
}
