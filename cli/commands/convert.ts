// `unetc convert IN OUT.safetensors`: a checkpoint as safetensors, float32, in the checkpoint's order.

import type { Command } from 'commander';
import type { Context, Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { CHECKPOINT, KEYS } from '../words/weights.ts';

const NOTES = `
Examples:
  unetc convert model.pt model.safetensors
  unetc convert training.ckpt#ema ema.safetensors`;

export const register: Register = (program: Command, context: Context) => {
  program
    .command('convert')
    .description('write a checkpoint as safetensors (float32), which needs no unpickling and loads faster')
    .argument('<checkpoint>', CHECKPOINT)
    .argument('<out>', 'the .safetensors file to write')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', KEYS + NOTES)
    .action(async (input: string, output: string, options: { readonly json?: boolean }) => {
      const { convertCheckpoint } = await import('../../engine/checkpoint/convert-checkpoint.ts');
      const result = convertCheckpoint(input, output, hostOf(context));
      if (options.json) context.stdout(`${JSON.stringify(result)}\n`);
      else context.stdout(`${output}: ${result.tensors} tensors, ${result.params} parameters\n`);
    });
};
