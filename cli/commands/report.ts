// `unetc report`: a text beside each graph for review in pull requests, written or checked.

import type { Register } from '../context.ts';
import type { ReportWords } from '../report-files.ts';
import { addOptions } from '../words/options.ts';

const NOTES = `
The report of graphs/mine.json is graphs/mine.report.txt: blocks with shapes, parameters and cost, and the schedule for
the target generic. --check fails where it is not what the graph gives, shows the difference, and holds the graph to
its budgets. Without --write and --check the report is printed. Of several files those that are no graphs, such as
schemas and accepted findings, are left out.

Example:
  unetc report graphs/cifar10.json --check`;

export const register: Register = (program, context) => {
  const command = program
    .command('report')
    .description('writes or checks the report beside a graph')
    .argument('<graphs...>', 'graph files')
    .option('--write', 'write the reports')
    .option('--check', 'fail where a report is not what its graph gives');
  addOptions(command, ['json'])
    .addHelpText('after', NOTES)
    .action(async (files: readonly string[], words: ReportWords) => {
      const { reportFiles } = await import('../report-files.ts');
      await reportFiles(files, words, context);
    });
};
