// `unetc infer`: the graph that a checkpoint belongs to, from the names and shapes of its tensors.

import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { addOptions, outputOption } from '../words/options.ts';
import { CHECKPOINT, KEYS } from '../words/weights.ts';

interface Options {
  readonly output?: string;
  readonly json?: boolean;
}

const NOTES = `
Only the head of CHECKPOINT is read. It may be a state dict as JSON, too: names and shapes.
The graph goes to stdout in the compact form, or, where no keyword arguments make such a model, in the explicit form.
What shapes do not tell (heads, image size, diffusion) is a guess, and stderr lists it with what speaks for a value.
With --json: {"graph": ..., "undetermined": [{"key", "hint"}]}.

Example:
  unetc infer model.pt -o mine.json`;

export const register: Register = (program, context) => {
  const command = program
    .command('infer')
    .description('prints the graph that a checkpoint belongs to')
    .argument('<checkpoint>', CHECKPOINT)
    .addOption(outputOption('<FILE>', 'write the graph to a file instead of stdout'));
  addOptions(command, ['json'])
    .addHelpText('after', KEYS + NOTES)
    .action(async (path: string, { output, json }: Options) => {
      const { printSpec } = await import('../../compiler/import/print-spec.ts');
      const { checkWritable, writeFile } = await import('../../runtime/host/node/files.ts');
      const { inferFromCheckpoint } = await import('../../engine/checkpoint/infer-graph.ts');
      if (output !== undefined) checkWritable(output);
      const { spec, undetermined, tensors } = inferFromCheckpoint(path, hostOf(context));
      if (!json) {
        context.stderr('shapes do not tell:\n');
        for (const { key, hint } of undetermined) context.stderr(`  ${key}: ${hint}\n`);
      }
      if (output !== undefined) writeFile(output, printSpec(spec));
      if (json)
        context.stdout(`${JSON.stringify({ checkpoint: path, graph: spec, undetermined }, null, 2)}\n`);
      else if (output === undefined) context.stdout(printSpec(spec));
      else context.stdout(`${output}: the graph of ${path}, ${tensors} tensors\n`);
    });
};
