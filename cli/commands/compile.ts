// `unetc compile`: a graph as a bundle of kernels, and any stage on the way as text.

import type { CompileResult } from '../../engine/compile/compile-model.ts';
import { UsageError } from '../../engine/errors.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseChoice } from '../parse.ts';
import { addOptions, COMPILE_OPTIONS, heading, outputOption } from '../words/options.ts';
import { parseSettings, type SettingWords } from '../words/settings.ts';

const NOTES = `
A bundle is a folder: manifest.json and kernels/*.wgsl, everything a run needs but the weights. The same graph and
options, the tuning included, give the same bytes everywhere. An older bundle in DIR is replaced; a folder with anything else is not.
--types adds bundle.d.ts and bundle.js, which exports a load that is typed for this bundle.

Examples:
  unetc compile graphs/cifar10.json -o out/cifar10 --batch 8
  unetc compile graphs/mnist.json --emit schedule`;

interface Words extends SettingWords {
  readonly output?: string;
  readonly emit?: string;
  readonly types?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('compile')
    .description('writes a bundle: manifest.json and kernels/*.wgsl')
    .argument('<graph>', 'graph file of either form')
    .addOption(outputOption('<DIR>', 'folder of the bundle'))
    .optionsGroup(heading('output'))
    .option('--emit <STAGE>', 'print graph, ops, schedule, memory or kernels; -o may be left out then')
    .option('--types', 'add a typed module to the bundle');
  addOptions(
    command,
    [
      ...COMPILE_OPTIONS,
      'taps',
      'gradient',
      'gradients',
      'dropout',
      'train',
      'averages',
      'accumulate',
      'clipGradients',
      'freeze',
      'json',
    ],
    {
      batch: { usual: '1' },
      precision: { usual: 'f32' },
      target: {
        about: 'what to compile for: a target, or auto for the adapter that is here',
        usual: 'generic',
      },
    },
  )
    .addHelpText('after', NOTES)
    .action(async (path: string, words: Words) => {
      const { compileModel, STAGES } = await import('../../engine/compile/compile-model.ts');
      const { output = null, types = false } = words;
      const stage = words.emit === undefined ? null : parseChoice(words.emit, '--emit', STAGES);
      if (output === null && stage === null) {
        throw new UsageError('say where the bundle goes with -o DIR, or what to print with --emit STAGE');
      }
      if (output === null && types)
        throw new UsageError('--types: they go into the bundle, name it with -o DIR');
      const job = { settings: parseSettings(words), output, stage, types };
      const result = await compileModel(path, job, hostOf(context));
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      if (result.output !== null) context.stderr(summary(result));
      if (result.emit) context.stdout(result.emit.text);
    });
};

function summary(result: CompileResult): string {
  const { output, name, batch, image_size, target, precision, dispatches, kernels } = result;
  const images = `${batch} ${batch === 1 ? 'image' : 'images'} of ${image_size.join('x')}`;
  return (
    `${output}: ${name} for ${images}, ${precision}, target ${target}\n` +
    `  ${dispatches} dispatches of ${kernels} kernels\n` +
    `  activations ${megabytes(result.activation_peak_bytes)} (without reuse ` +
    `${megabytes(result.activation_bytes_without_reuse)}), weights ${megabytes(result.weight_bytes)}\n`
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
