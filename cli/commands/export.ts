// `unetc export`: a graph and its weights as ONNX, for viewers such as Netron and for other engines.

import type { ExportWords } from '../../engine/checkpoint/export-model.ts';
import type { Register } from '../context.ts';

const NOTES = `
Shapes are fixed: export once for each --batch and --size. Inputs are x, timesteps, y (int64) and low_res, outputs
output and with --taps down.i, middle and up.i. Weights stay float32 under their checkpoint names. Where they exceed
the 2 GiB of a protobuf file they go into OUT.data beside it; keep both together.

Example:
  unetc export graphs/mnist.json --weights graphs/mnist.safetensors -o mnist.onnx`;

export const register: Register = (program, context) => {
  program
    .command('export')
    .description('writes a graph and its weights as ONNX (opset 17)')
    .argument('<graph>', 'graph file of either form')
    .requiredOption('--weights <W>', '.safetensors file, .pt file, or hash:SEED')
    .requiredOption('-o, --output <FILE>', 'the .onnx file to write')
    .option('--batch <N>', 'images in a forward pass', '1')
    .option('--size <HxW>', 'another image size than the graph says')
    .option('--taps', 'add the feature vectors to the outputs')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', NOTES)
    .action(async (path: string, words: ExportWords & { readonly json?: boolean }) => {
      const { exportModel } = await import('../../engine/checkpoint/export-model.ts');
      const result = exportModel(path, words, context);
      if (words.json) return context.stdout(`${JSON.stringify(result, null, 2)}\n`);
      const { output, weights_file, nodes, params } = result;
      const files = weights_file === null ? output : `${output}, ${weights_file}`;
      context.stdout(`${files}: ${nodes} nodes, ${params} parameters\n`);
    });
};
