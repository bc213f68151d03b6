// `unetc export`: a graph and its weights as ONNX, for viewers such as Netron and for other engines.

import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseCount, parseSize } from '../parse.ts';
import { weightsOf } from '../words/model.ts';
import { addOptions, outputOption, WEIGHT_OPTIONS } from '../words/options.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
Shapes are fixed: export once for each --batch and --size. Inputs are x, timesteps, y (int64) and low_res, outputs
output and with --taps down.i, middle and up.i. Weights stay float32 under their checkpoint names. Where they exceed
the 2 GiB of a protobuf file they go into OUT.data beside it; keep both together.

Example:
  unetc export graphs/mnist.json --weights graphs/mnist.safetensors -o mnist.onnx`;

interface Words {
  readonly weights?: string;
  readonly allowUnexpected?: boolean;
  readonly renameMap?: string;
  readonly output: string;
  readonly batch: string;
  readonly size?: string;
  readonly taps?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('export')
    .description('writes a graph and its weights as ONNX (opset 17)')
    .argument('<graph>', 'graph file of either form')
    .addOption(outputOption('<FILE>', 'the .onnx file to write').makeOptionMandatory());
  addOptions(command, [...WEIGHT_OPTIONS, 'batch', 'size', 'taps', 'json'], {
    batch: { usual: '1' },
  })
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, words: Words) => {
      const { exportModel } = await import('../../engine/checkpoint/export-model.ts');
      const { LARGEST_BATCH } = await import('../../engine/compile/model-settings.ts');
      const batch = parseCount(words.batch, '--batch', LARGEST_BATCH);
      const size = words.size === undefined ? undefined : parseSize(words.size);
      const { allowUnexpected, renameMap, taps } = words;
      const weights = weightsOf(path, words.weights);
      const job = { weights, allowUnexpected, renameMap, output: words.output, taps, batch, size };
      const result = await exportModel(path, job, hostOf(context));
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      const { output, weights_file, nodes, params } = result;
      const files = weights_file === null ? output : `${output}, ${weights_file}`;
      context.stdout(`${files}: ${nodes} nodes, ${params} parameters\n`);
    });
};
