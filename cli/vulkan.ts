// What this system has of Vulkan: the loader and the drivers' manifests, as the loader would find them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface VulkanDriver {
  /** Path of the driver's manifest (ICD). */
  readonly manifest: string;
  /** The shared library that the manifest names; null where the manifest cannot be read. */
  readonly library: string | null;
  readonly api_version: string | null;
}

const libraryFolders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/lib64',
  '/usr/local/lib',
];

/** The path of the Vulkan loader, or null where it is in none of the usual folders. */
export function findVulkanLoader(): string | null {
  const fromEnv = (process.env.LD_LIBRARY_PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const paths = [...fromEnv, ...libraryFolders].map((folder) => join(folder, 'libvulkan.so.1'));
  return paths.find((path) => existsSync(path)) ?? null;
}

/** The Vulkan drivers that are installed, or those that VK_DRIVER_FILES names instead. */
export function findVulkanDrivers(): readonly VulkanDriver[] {
  const chosen = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (chosen) return chosen.split(delimiter).map(readManifest);
  const folders = [
    join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'vulkan/icd.d'),
    '/etc/vulkan/icd.d',
    '/usr/local/etc/vulkan/icd.d',
    '/usr/local/share/vulkan/icd.d',
    '/usr/share/vulkan/icd.d',
  ];
  return folders
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []))
    .filter((path) => path.endsWith('.json'))
    .sort()
    .map(readManifest);
}

function readManifest(manifest: string): VulkanDriver {
  try {
    const { ICD } = JSON.parse(readFileSync(manifest, 'utf8')) as { ICD?: Record<string, unknown> };
    const text = (value: unknown) => (typeof value === 'string' ? value : null);
    return { manifest, library: text(ICD?.library_path), api_version: text(ICD?.api_version) };
  } catch {
    return { manifest, library: null, api_version: null };
  }
}
