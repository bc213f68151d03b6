// What `unetc doctor` finds out: system, versions, Vulkan, adapters, and what to install when there is none.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, release, totalmem } from 'node:os';
import { shipped } from '../compiler/shipped.ts';
import { chooseTarget, missingFor, TARGETS } from '../compiler/target.ts';
import { factsOf } from '../engine/compile/target-choice.ts';
import { dawnVersion, packageVersion } from '../engine/package.ts';
import { findLacks, type Lack } from '../runtime/adapter.ts';
import { RuntimeError } from '../runtime/errors.ts';
import type { InspectedAdapter } from '../runtime/host/node/dawn.ts';
import { findVulkanDrivers, findVulkanLoader, type VulkanDriver } from './vulkan.ts';

export interface AdapterReport extends InspectedAdapter {
  /** The name by which UNETC_ADAPTER chooses it. */
  readonly name: string;
  /** The one that a run takes when nothing is said. */
  readonly used: boolean;
  /** What `--target auto` compiles for on it. */
  readonly target: string;
  /**
   * What it lacks for each target of `compile --target`, nothing where it can run the target's bundles; and what it lacks,
   * in words, for `auto` to choose the target.
   */
  readonly targets: readonly {
    readonly name: string;
    readonly lacks: readonly Lack[];
    readonly missing: readonly string[];
  }[];
}

export interface SystemReport {
  readonly unetc: string;
  readonly dawn: string;
  readonly node: string;
  readonly system: string;
  readonly cpus: number;
  readonly memory_gib: number;
  /** Null where Dawn does not use Vulkan (macOS, Windows). */
  readonly vulkan: { readonly loader: string | null; readonly drivers: readonly VulkanDriver[] } | null;
  readonly adapters: readonly AdapterReport[];
  /** Why there is no adapter and what to run; empty where there is one. */
  readonly advice: readonly string[];
}

/** Collects the report. Errors of adapters become advice; nothing is thrown for a system without any. */
export async function reportSystem(): Promise<SystemReport> {
  const found = await findAdapters();
  return {
    unetc: packageVersion(),
    dawn: dawnVersion(),
    node: process.version,
    system: systemName(),
    cpus: availableParallelism(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    vulkan:
      process.platform === 'linux' ? { loader: findVulkanLoader(), drivers: findVulkanDrivers() } : null,
    adapters: found.adapters,
    advice: found.adapters.length > 0 ? [] : [...found.faults, ...driverAdvice()],
  };
}

async function findAdapters(): Promise<{ adapters: readonly AdapterReport[]; faults: readonly string[] }> {
  const { inspectAdapter, listAdapters } = await import('../runtime/host/node/dawn.ts');
  try {
    const first = await inspectAdapter();
    const adapters: AdapterReport[] = [];
    // Two adapters of one name cannot be told apart by UNETC_ADAPTER either.
    for (const name of new Set(await listAdapters())) {
      const inspected = await inspectAdapter({ adapter: name });
      const { device, description } = inspected.adapter;
      const used = device === first.adapter.device && description === first.adapter.description;
      const facts = factsOf(inspected);
      const targets = TARGETS.map((target) => ({
        name: target.name,
        lacks: findLacks(inspected, { features: target.features, limits: { ...target.limits } }),
        missing: missingFor(target, facts),
      }));
      adapters.push({ name, used, target: chooseTarget(facts).name, targets, ...inspected });
    }
    return { adapters, faults: [] };
  } catch (error) {
    if (error instanceof RuntimeError && error.kind === 'adapter')
      return { adapters: [], faults: [error.message] };
    throw error;
  }
}

/** What the set-up would install here, in its own words. */
function driverAdvice(): readonly string[] {
  if (process.platform !== 'linux') return [];
  const script = shipped('cli/setup/driver.sh');
  try {
    execFileSync('sh', [script, '--advice'], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
    return [
      'A Vulkan driver is installed, but it gives no adapter: `vulkaninfo --summary` (package vulkan-tools) tells why.',
    ];
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    return text
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^set-up: /, ''));
  }
}

function systemName(): string {
  const kernel = `${process.platform} ${release()} ${process.arch}`;
  if (!existsSync('/etc/os-release')) return kernel;
  const pretty = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  return pretty ? `${pretty}, ${kernel}` : kernel;
}
