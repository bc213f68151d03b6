// `unetc expand`: a graph file as the explicit form, every block and default written out.

import { warnAll } from '../../engine/host.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseSize } from '../parse.ts';

interface Options {
  readonly size?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('expand')
    .description('prints the compact form as the explicit form (JSON on stdout)')
    .argument('<graph>', 'graph file of either form')
    .option('--size <HxW>', 'write another image size than the file says')
    .option('--json', 'the output is JSON with and without this option; errors become JSON, too')
    .addHelpText(
      'after',
      '\nBoth forms build the same model. An explicit form is printed as it stands, defaults filled in.',
    )
    .action(async (path: string, options: Options) => {
      const { readGraph } = await import('../../engine/graph/graph-file.ts');
      const { printExplicit, toExplicit } = await import('../../compiler/graph/explicit.ts');
      const size = options.size === undefined ? undefined : parseSize(options.size);
      const { graph, warnings } = readGraph(path, { size });
      warnAll(hostOf(context), warnings, path);
      context.stdout(printExplicit(toExplicit(graph)));
    });
};
