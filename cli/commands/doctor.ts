// `unetc doctor`: whether this machine can run models, on what, and what to install where it cannot.

import { adapterLine, type MatrixConfig } from '../../runtime/adapter.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Register } from '../context.ts';
import type { AdapterReport, SystemReport } from '../system-report.ts';
import { addOptions } from '../words/options.ts';

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

export const register: Register = (program, context) => {
  const command = program
    .command('doctor')
    .description('prints adapters, features and limits, and what to install when there is none');
  addOptions(command, ['json'])
    .addHelpText(
      'after',
      '\nUNETC_ADAPTER=NAME chooses an adapter by a part of its name. Exits 7 when there is none.',
    )
    .action(async (options: { json?: boolean }) => {
      const { reportSystem } = await import('../system-report.ts');
      const report = await reportSystem();
      context.stdout(options.json ? `${JSON.stringify(plain(report), null, 2)}\n` : print(report));
      if (report.adapters.length === 0) throw new RuntimeError('adapter', report.advice.join('\n'));
    });
};

function plain(report: SystemReport): object {
  return { ...report, adapters: report.adapters.map((a) => ({ ...a, features: [...a.features] })) };
}

function print(report: SystemReport): string {
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
