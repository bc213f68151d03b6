// `unetc validate`: every fault and warning of a graph file, or one line that it is valid.

import { warnAll } from '../../engine/host.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseSize } from '../parse.ts';
import { addOptions } from '../words/options.ts';

interface Options {
  readonly size?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('validate')
    .description('checks a graph and prints every fault')
    .argument('<graph>', 'graph file');
  addOptions(command, ['size', 'json'], { size: 'check another image size than the file says' })
    .addHelpText(
      'after',
      '\nWarnings do not fail the check. Faults exit with 3; graphs/README.md lists every rule.',
    )
    .action(async (path: string, options: Options) => {
      const { readGraph } = await import('../../engine/graph/graph-file.ts');
      const { parameterCount, parameters } = await import('../../compiler/graph/parameters.ts');
      const { GraphError } = await import('../../compiler/diagnostics.ts');
      const size = options.size === undefined ? undefined : parseSize(options.size);
      try {
        const { graph, warnings } = readGraph(path, { size });
        warnAll(hostOf(context), warnings, path);
        const { name, image_size } = graph;
        const [params, tensors] = [parameterCount(graph), parameters(graph).length];
        if (options.json) {
          const document = { file: path, valid: true, name, image_size, params, tensors, warnings };
          context.stdout(`${JSON.stringify(document, null, 2)}\n`);
        } else {
          const counted = `${params.toLocaleString('en-US')} parameters in ${tensors} tensors`;
          context.stdout(`${path}: valid (${name}, ${image_size.join('x')}, ${counted})\n`);
        }
      } catch (error) {
        // The faults themselves follow under `error`.
        if (options.json && error instanceof GraphError) {
          context.stdout(`${JSON.stringify({ file: path, valid: false }, null, 2)}\n`);
        }
        throw error;
      }
    });
};
