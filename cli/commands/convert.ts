// `unetc convert IN OUT.safetensors`: a checkpoint as safetensors, float32, in the checkpoint's order.

import { UsageError } from '../../engine/errors.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { addOptions, outputOption } from '../words/options.ts';
import { CHECKPOINT, KEYS } from '../words/weights.ts';

const NOTES = `
Examples:
  unetc convert model.pt -o model.safetensors
  unetc convert training.ckpt#ema -o ema.safetensors`;

interface Words {
  readonly output?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('convert')
    .description('write a checkpoint as safetensors (float32), which needs no unpickling and loads faster')
    .argument('<checkpoint>', CHECKPOINT)
    .argument('[out]', 'the .safetensors file to write, where -o does not name it')
    .addOption(outputOption('<FILE>', 'the .safetensors file to write'));
  addOptions(command, ['json'])
    .addHelpText('after', KEYS + NOTES)
    .action(async (input: string, place: string | undefined, options: Words) => {
      const output = options.output ?? place;
      if (output === undefined) throw new UsageError('say which file to write: -o FILE.safetensors');
      if (place !== undefined && options.output !== undefined) {
        throw new UsageError(
          `found two files to write, '${place}' and -o '${options.output}'; leave one out`,
        );
      }
      const { convertCheckpoint } = await import('../../engine/checkpoint/convert-checkpoint.ts');
      const result = await convertCheckpoint(input, output, hostOf(context));
      if (options.json) context.stdout(`${JSON.stringify(result)}\n`);
      else context.stdout(`${output}: ${result.tensors} tensors, ${result.params} parameters\n`);
    });
};
