// `unetc import`: the graph of a folder of diffusers, from its config.json and scheduler_config.json.

import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseSize } from '../parse.ts';
import { addOptions, outputOption } from '../words/options.ts';

interface Options {
  readonly output?: string;
  readonly size?: string;
  readonly name?: string;
  readonly scheduler?: string;
  readonly json?: boolean;
}

const NOTES = `
DIR has the config.json of a UNet2DModel, or is a pipeline's folder with it in unet/. The process that the model was
trained with is read from scheduler_config.json beside it or in scheduler/. What no graph can express is refused by name.
Weights are not read: the checkpoint beside config.json is named on stderr, and runs with the graph as it is.
With --json: {"graph": ..., "config", "scheduler", "weights"}.

Examples:
  unetc import ddpm-cifar10-32 -o cifar.json
  unetc sample cifar.json --weights ddpm-cifar10-32/diffusion_pytorch_model.safetensors --seeds 0-15 -o out/cifar`;

export const register: Register = (program, context) => {
  const command = program
    .command('import')
    .description('prints the graph of a diffusers folder with a UNet2DModel')
    .argument('<dir>', 'folder with config.json, or of a pipeline')
    .addOption(outputOption('<FILE>', 'write the graph to a file instead of stdout'))
    .option('--name <NAME>', "what the graph is called (default: the folder's name)")
    .option('--scheduler <FILE>', 'another scheduler_config.json; none leaves the process out');
  addOptions(command, ['size', 'json'], { size: "another image size than the config's sample_size" })
    .addHelpText('after', NOTES)
    .action(async (folder: string, { output, size, json, ...options }: Options) => {
      const { printSpec } = await import('../../compiler/import/print-spec.ts');
      const { checkWritable, writeFile } = await import('../../runtime/host/node/files.ts');
      const { importFolder } = await import('../../engine/checkpoint/import-folder.ts');
      const asked = size === undefined ? undefined : parseSize(size);
      const { spec, config, scheduler, weights } = importFolder(
        folder,
        { ...options, size: asked },
        hostOf(context),
      );
      if (output !== undefined) {
        checkWritable(output);
        writeFile(output, printSpec(spec));
      }
      if (weights !== null) context.stderr(`its weights: ${weights}\n`);
      if (json) context.stdout(`${JSON.stringify({ graph: spec, config, scheduler, weights }, null, 2)}\n`);
      else if (output === undefined) context.stdout(printSpec(spec));
      else context.stdout(`${output}: the graph of ${config}\n`);
    });
};
