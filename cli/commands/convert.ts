// `unetc convert IN OUT.safetensors`: a checkpoint as safetensors, in the checkpoint's order.

import type { Conversion } from '../../engine/checkpoint/convert-checkpoint.ts';
import { UsageError } from '../../engine/errors.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { addOptions, outputOption } from '../words/options.ts';
import { CHECKPOINT, KEYS, weightSettings } from '../words/weights.ts';

const NOTES = `
Examples:
  unetc convert model.pt -o model.safetensors
  unetc convert training.ckpt#ema -o ema.safetensors
  unetc convert model.pt -o page/model.safetensors --dtype f16 --shard-size 24MiB`;

interface Words {
  readonly output?: string;
  readonly dtype?: string;
  readonly shardSize?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('convert')
    .description('write a checkpoint as safetensors, which needs no unpickling and loads faster')
    .argument('<checkpoint>', CHECKPOINT)
    .argument('[out]', 'the .safetensors file to write, where -o does not name it')
    .addOption(outputOption('<FILE>', 'the .safetensors file to write'));
  addOptions(command, ['dtype', 'shardSize', 'json'])
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
      const settings = weightSettings(options);
      const result = await convertCheckpoint(input, output, settings, hostOf(context));
      if (options.json) context.stdout(`${JSON.stringify(result)}\n`);
      else context.stdout(`${told(result)}\n`);
    });
};

function told({ output, files, dtype, tensors, params }: Conversion): string {
  const shards = files.length === 1 ? '' : `, ${files.length} files`;
  return `${output}: ${tensors} tensors, ${params} parameters${dtype === 'f32' ? '' : `, ${dtype}`}${shards}`;
}
