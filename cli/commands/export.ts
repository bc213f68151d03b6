// `unetc export`: a graph and its weights as ONNX, for viewers such as Netron and for other engines.

import { Option } from 'commander';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseCount, parseSize } from '../parse.ts';
import { weightsOf } from '../words/model.ts';
import { addOptions, heading, outputOption, WEIGHT_OPTIONS } from '../words/options.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
Shapes are fixed, so export once for each --size; --batch dynamic leaves the batch to every call of the model. Inputs
are x, timesteps, y (int64) and low_res, outputs output and with --taps down.i, middle and up.i. Weights stay float32
under their checkpoint names. Where they exceed the 2 GiB of a protobuf file, and with --external-data, they go into
OUT.data beside it; keep both together.

Examples:
  unetc export graphs/mnist.json --weights graphs/mnist.safetensors -o mnist.onnx
  unetc export graphs/mnist.json --weights graphs/mnist.safetensors --batch dynamic -o mnist.onnx`;

interface Words {
  readonly weights?: string;
  readonly allowUnexpected?: boolean;
  readonly renameMap?: string;
  readonly output: string;
  readonly batch: string;
  readonly size?: string;
  readonly taps?: boolean;
  readonly externalData?: boolean;
  readonly json?: boolean;
}

/** No other command has weights beside what it writes. */
const externalData = new Option(
  '--external-data',
  'keep the weights in a file beside the model however few they are',
).helpGroup(heading('output'));

export const register: Register = (program, context) => {
  const command = program
    .command('export')
    .description('writes a graph and its weights as ONNX (opset 17)')
    .argument('<graph>', 'graph file of either form')
    .addOption(outputOption('<FILE>', 'the .onnx file to write').makeOptionMandatory());
  addOptions(command, [...WEIGHT_OPTIONS, 'batch', 'size', 'taps', 'json'], {
    batch: { usual: '1', about: 'images of a call of the model, or dynamic for any number' },
  })
    .addOption(externalData)
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, words: Words) => {
      const { DYNAMIC, exportModel } = await import('../../engine/checkpoint/export-model.ts');
      const { LARGEST_BATCH } = await import('../../engine/compile/model-settings.ts');
      const batch =
        words.batch === DYNAMIC ? DYNAMIC : parseCount(words.batch, '--batch', LARGEST_BATCH, ' or dynamic');
      const size = words.size === undefined ? undefined : parseSize(words.size);
      const { allowUnexpected, renameMap, taps, externalData } = words;
      const weights = weightsOf(path, words.weights);
      const job = {
        weights,
        allowUnexpected,
        renameMap,
        output: words.output,
        taps,
        batch,
        size,
        externalData,
      };
      const result = await exportModel(path, job, hostOf(context));
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      const { output, weights_file, nodes, params } = result;
      const files = weights_file === null ? output : `${output}, ${weights_file}`;
      context.stdout(`${files}: ${nodes} nodes, ${params} parameters\n`);
    });
};
