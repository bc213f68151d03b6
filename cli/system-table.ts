// What `unetc doctor` prints of a system: versions, drivers, and of each adapter what it offers and which targets it serves.

import { adapterLine, type MatrixConfig } from '../runtime/adapter.ts';
import type { AdapterReport, SystemReport } from './system-report.ts';

/** The features that kernels make use of; `--json` has all. */
const shownFeatures = [
  'shader-f16',
  'subgroups',
  'chromium-experimental-subgroup-matrix',
  'timestamp-query',
] as const;

/** The limits that decide which kernels an adapter can run; `--json` has all. */
const shownLimits = [
  'maxStorageBuffersPerShaderStage',
  'maxStorageTexturesPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxTextureDimension2D',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const;

export function printSystem(report: SystemReport): string {
  const rows: [string, string][] = [
    ['unetc', report.unetc],
    ['node', report.node],
    ['dawn', report.dawn],
    ['system', `${report.system}, ${report.cpus} CPUs, ${report.memory_gib} GiB`],
  ];
  if (report.vulkan) {
    rows.push(['vulkan loader', report.vulkan.loader ?? 'not found']);
    for (const driver of report.vulkan.drivers) {
      rows.push(['vulkan driver', `${driver.manifest} (${driver.library ?? 'unreadable'})`]);
    }
    if (report.vulkan.drivers.length === 0) rows.push(['vulkan driver', 'none']);
  }
  const lines = rows.map(([name, value]) => `${name.padEnd(14)} ${value}`);
  return `${[...lines, ...report.adapters.flatMap(printAdapter)].join('\n')}\n`;
}

function printAdapter({
  name,
  used,
  target,
  targets,
  adapter,
  features,
  limits,
  matrices,
}: AdapterReport): readonly string[] {
  const subgroups =
    adapter.subgroupMinSize > 0
      ? [`  subgroups of ${adapter.subgroupMinSize} to ${adapter.subgroupMaxSize}`]
      : [];
  const shown = shownFeatures.filter((feature) => features.has(feature));
  return [
    '',
    `adapter '${name}'${used ? ' (used)' : ''}`,
    `  ${adapterLine(adapter)}`,
    ...subgroups,
    `  target: ${target}, which --target auto takes`,
    ...targets.filter(({ name }) => name !== target).map(printTarget),
    ...(matrices.length > 0 ? [`  matrices: ${matrices.map(printMatrix).join(', ')}`] : []),
    `  features: ${shown.join(', ') || 'none that kernels use'}`,
    ...shownLimits.map((limit) => `  ${limit.padEnd(34)} ${String(limits[limit] ?? '-').padStart(12)}`),
  ];
}

/** `f16 16x16x16 into f32`: rows and columns of the result, and the elements of each sum. */
function printMatrix({ componentType, resultComponentType, M, N, K }: MatrixConfig): string {
  return `${componentType} ${M}x${N}x${K} into ${resultComponentType}`;
}

/** Whether a target's bundles run, and why it is not the one that is chosen. */
function printTarget({ name, lacks, missing }: AdapterReport['targets'][number]): string {
  const runs = lacks.length === 0 ? 'runs, too' : 'does not run here';
  const why = missing.length === 0 ? 'suits less' : `lacks ${missing.join(', ')}`;
  return `  target ${name.padEnd(9)} ${runs}: ${why}`;
}
