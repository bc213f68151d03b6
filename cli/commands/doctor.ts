// `unetc doctor`: whether this machine can run models, on what, and what to install where it cannot.

import { RuntimeError } from '../../runtime/errors.ts';
import type { Register } from '../context.ts';
import type { SystemReport } from '../system-report.ts';
import { addOptions } from '../words/options.ts';

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
      const { printSystem } = await import('../system-table.ts');
      const report = await reportSystem();
      context.stdout(options.json ? `${JSON.stringify(plain(report), null, 2)}\n` : printSystem(report));
      if (report.adapters.length === 0) throw new RuntimeError('adapter', report.advice.join('\n'));
    });
};

function plain(report: SystemReport): object {
  return { ...report, adapters: report.adapters.map((a) => ({ ...a, features: [...a.features] })) };
}
