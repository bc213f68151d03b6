// `unetc graph`: the graph as a picture, an SVG or a page.

import { UsageError } from '../../engine/errors.ts';
import { warnAll } from '../../engine/host.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseSize } from '../parse.ts';
import { addOptions, outputOption } from '../words/options.ts';

interface Options {
  readonly output: string;
  readonly size?: string;
  readonly json?: boolean;
}

const NOTES = `
One row for each input block and the output block that reads what it kept, one band for each size. Hovering over a
layer tells its shapes, parameters and share of the multiply-accumulates; a page has them as a table, too.

Example:
  unetc graph graphs/cifar10.json -o out/cifar10.svg`;

export const register: Register = (program, context) => {
  const command = program
    .command('graph')
    .description('draws a graph: the U with its levels, blocks, attention, skips and shares of cost')
    .argument('<graph>', 'graph file of either form')
    .addOption(outputOption('<FILE>', 'the .svg or .html file to write').makeOptionMandatory());
  addOptions(command, ['size', 'json'])
    .addHelpText('after', NOTES)
    .action(async (path: string, { output, size, json }: Options) => {
      const kind = /\.(svg|html)$/i.exec(output)?.[1]?.toLowerCase();
      if (kind === undefined) {
        throw new UsageError(`--output: found '${output}', expected a file whose name ends in .svg or .html`);
      }
      const { readGraph } = await import('../../engine/graph/graph-file.ts');
      const { graph, warnings } = readGraph(path, { size: size === undefined ? undefined : parseSize(size) });
      warnAll(hostOf(context), warnings, path);
      const { checkWritable, writeFile } = await import('../../runtime/host/node/files.ts');
      checkWritable(output);
      const { graphPicture } = await import('../picture/draw.ts');
      const { picturePage } = await import('../picture/page.ts');
      writeFile(output, kind === 'svg' ? graphPicture({ graph }) : picturePage([{ graph }]));
      const document = { graph: graph.name, output, blocks: graph.blocks.length };
      context.stdout(
        json
          ? `${JSON.stringify(document, null, 2)}\n`
          : `${output}: ${graph.name}, ${graph.blocks.length} blocks\n`,
      );
    });
};
