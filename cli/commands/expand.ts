// `unetc expand`: a graph file as the explicit form, every block and default written out.

import { warnAll } from '../../engine/host.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseSize } from '../parse.ts';
import { addOptions, outputOption } from '../words/options.ts';

interface Options {
  readonly output?: string;
  readonly size?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('expand')
    .description('prints the compact form as the explicit form (JSON on stdout)')
    .argument('<graph>', 'graph file of either form')
    .addOption(outputOption('<FILE>', 'write the graph to a file instead of stdout'));
  addOptions(command, ['size', 'json'], {
    size: 'write another image size than the file says',
    json: 'the output is JSON with and without this option; errors become JSON, too',
  })
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
      const text = printExplicit(toExplicit(graph));
      if (options.output === undefined) return context.stdout(text);
      const { checkWritable, writeFile } = await import('../../runtime/host/node/files.ts');
      checkWritable(options.output);
      writeFile(options.output, text);
      if (options.json) return context.stdout(text);
      context.stdout(`${options.output}: ${graph.name}, ${graph.blocks.length} blocks\n`);
    });
};
