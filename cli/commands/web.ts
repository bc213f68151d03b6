// `unetc web`: a model as a page that any web server serves.

import type { PageResult } from '../../engine/web/write-page.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { addOptions, CLASSIFIER_OPTIONS, heading, outputOption, WEIGHT_OPTIONS } from '../words/options.ts';
import type { WebWords } from '../words/web.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
The folder is whole: it loads nothing from anywhere else, and works on any static server that browsers reach by https, or
on this computer. Kernels are compiled for the target generic, which every WebGPU runs. A bundle keeps its own.
An older page in DIR is replaced; a folder with anything else is not.

Examples:
  unetc web graphs/mnist.json --weights graphs/mnist.safetensors --dtype f16 -o out/digits
  python3 -m http.server --directory out/digits`;

export const register: Register = (program, context) => {
  const command = program
    .command('web')
    .description('writes a page that draws with the model in a browser')
    .argument('<model>', 'graph file, checkpoint of unetc train, or bundle folder')
    .addOption(outputOption('<DIR>', 'folder of the page').makeOptionMandatory())
    .optionsGroup(heading('output'))
    .option('--names <FILE>', 'what the classes are called: a name a line, or a JSON list')
    .optionsGroup(heading('sampling'))
    .option(
      '--null-class <LABEL>',
      'the class that the model was taught to mean none: the page offers guidance',
    );
  addOptions(
    command,
    [
      ...(['dtype', 'shardSize'] as const),
      ...CLASSIFIER_OPTIONS,
      ...WEIGHT_OPTIONS,
      ...(['batch', 'size', 'precision', 'memory', 'strict', 'tuning', 'trust', 'json'] as const),
    ],
    {
      shardSize: {
        about: 'the most bytes of a file of weights (default: 24MiB, as hosts of static files take)',
      },
      batch: { about: 'images in a forward pass (default: 1 to 4, by the size of the images)' },
      classifierScale: { about: 'how far it moves a step, where the page begins (default: 1)' },
      trust: { about: 'take a bundle as it is, and do not compare it with what its graph compiles to' },
    },
  )
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, words: WebWords & { readonly json?: boolean }) => {
      const { parsePage } = await import('../words/web.ts');
      const { writePage } = await import('../../engine/web/write-page.ts');
      const result = await writePage(parsePage(path, words), hostOf(context));
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      context.stdout(summary(result));
    });
};

function summary({ output, name, batch, files, weight_bytes }: PageResult): string {
  return (
    `${output}: ${name}, ${batch} ${batch === 1 ? 'image' : 'images'} a pass, ${files} files, ` +
    `${(weight_bytes / 1e6).toFixed(1)} MB of weights; look at it with\n  python3 -m http.server --directory ${output}\n`
  );
}
