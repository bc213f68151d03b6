// `unetc convert IN OUT.safetensors`: a checkpoint as safetensors, float32, in the checkpoint's order.

import type { Command } from 'commander';
import { writeFile } from '../../runtime/files.ts';
import { elements } from '../../runtime/tensor.ts';
import { openWeights } from '../../runtime/weights/open.ts';
import { safetensorsChunks } from '../../runtime/weights/safetensors-write.ts';
import { type Context, type Register, UsageError } from '../context.ts';

export const register: Register = (program: Command, context: Context) => {
  program
    .command('convert')
    .description('write a checkpoint as safetensors (float32), which needs no unpickling and loads faster')
    .argument('<checkpoint>', 'a .pt or .safetensors file')
    .argument('<out>', 'the .safetensors file to write')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  unetc convert model.pt model.safetensors')
    .action((input: string, output: string, options: { readonly json?: boolean }) => {
      const result = convert(input, output, context);
      if (options.json) context.stdout(`${JSON.stringify(result)}\n`);
      else context.stdout(`${output}: ${result.tensors} tensors, ${result.params} parameters\n`);
    });
};

function convert(input: string, output: string, context: Context) {
  if (!output.endsWith('.safetensors')) {
    throw new UsageError(`${output}: the output is a safetensors file; let its name end in .safetensors`);
  }
  const source = openWeights(input);
  try {
    const { tensors } = source;
    if (tensors === null)
      throw new UsageError(`${input}: a formula has no tensors of its own; name a checkpoint file`);
    for (const note of source.notes ?? []) context.stderr(`note: ${input}: ${note}\n`);
    const toWrite = tensors.map(({ name, shape }) => ({
      name,
      shape,
      dtype: 'F32' as const,
      data: () => source.read(name, shape),
    }));
    writeFile(output, safetensorsChunks(toWrite, { format: 'pt' }));
    return {
      input,
      output,
      tensors: tensors.length,
      params: tensors.reduce((sum, { shape }) => sum + elements(shape), 0),
    };
  } finally {
    source.close();
  }
}
