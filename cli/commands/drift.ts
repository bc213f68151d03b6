// `unetc drift`: where two models part on the same inputs, block by block.

import { CheckFailed, type Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseAmount } from '../parse.ts';
import type { DriftWords } from '../words/drift.ts';
import { addOptions, heading, MODEL_OPTIONS } from '../words/options.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
A and B are two graphs (or bundles with feature vectors) that the same weights fit: other heads, another precision. Or
they are one model twice, and an option for B says what differs: --weights-b, --precision-b, --strict-b, --reference-b.
Inputs are those of \`unetc run\`, with --gradients those of \`unetc gradients\`, or noise from a fixed seed. Exits with 1 where a block differs by more than --fail-above.

Examples:
  unetc drift two-heads.json four-heads.json --weights model.pt --svg out/drift.svg
  unetc drift mine.json mine.json --weights hash:1 --reference-b`;

interface Words extends DriftWords {
  readonly failAbove?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('drift')
    .description('runs two models on the same inputs and shows where they part, block by block')
    .argument('<a>', 'graph file, checkpoint of unetc train, or bundle folder')
    .argument('<b>', 'graph file, checkpoint of unetc train, or bundle folder')
    .optionsGroup(heading('input'))
    .option(
      '--inputs <IN>',
      'safetensors with x, timesteps, and where the models take them y, low_res; or a training batch',
    )
    .optionsGroup(heading('output'))
    .option('--tolerance <X>', 'relative L2 up to which two results count as the same', '1e-5')
    .option('--fail-above <X>', 'exit with 1 where a block differs by more, as relative L2')
    .option('--svg <FILE>', 'write a plot');
  addOptions(command, [...MODEL_OPTIONS, 'gradients', 'reference'], {
    gradients: 'compare the loss and the gradients of a training batch, in the order of the backward pass',
    batch: "images (default: as many as x has, 1; a bundle's own)",
    size: 'another image size than the graphs say',
  })
    .optionsGroup('For B alone:')
    .option('--weights-b <W>', 'other weights')
    .option('--rename-map-b <FILE>', 'another map to read the weights by')
    .option('--precision-b <NAME>', 'another precision')
    .option('--target-b <NAME>', 'another target')
    .option('--tuning-b <FILE>', 'another tuning')
    .option('--strict-b', 'without less exact algorithms')
    .option('--reference-b', 'in float64 without a GPU');
  addOptions(command, ['json'])
    .addHelpText('after', KEYS + NOTES)
    .action(async (a: string, b: string, words: Words) => {
      const { measureDrift } = await import('../../engine/drift/drift.ts');
      const { driftTable } = await import('../drift/table.ts');
      const { driftPlot } = await import('../drift/plot.ts');
      const { checkWritable, writeFile } = await import('../../runtime/host/node/files.ts');
      const { parseDriftJob } = await import('../words/drift.ts');
      const limit = words.failAbove === undefined ? null : parseAmount(words.failAbove, '--fail-above');
      const job = parseDriftJob(a, b, words);
      if (words.svg !== undefined) checkWritable(words.svg);
      const result = await measureDrift(job, hostOf(context));
      if (words.svg !== undefined) writeFile(words.svg, driftPlot(result));
      context.stdout(words.json ? `${JSON.stringify(result, null, 2)}\n` : driftTable(result));
      const worst = result.blocks.find(
        ({ relative_l2 }) => limit !== null && (relative_l2 === null || relative_l2 > limit),
      );
      if (worst) throw new CheckFailed(`${worst.path} differs by more than ${limit}`);
    });
};
