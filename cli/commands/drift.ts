// `unetc drift`: where two models part on the same inputs, block by block.

import { CheckFailed, type Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseAmount } from '../parse.ts';
import type { DriftWords } from '../words/drift.ts';
import { ALLOW_UNEXPECTED, KEYS, WEIGHTS } from '../words/weights.ts';

const NOTES = `
A and B are two graphs (or bundles with feature vectors) that the same weights fit: other heads, another precision. Or
they are one model twice, and an option for B says what differs: --weights-b, --precision-b, --strict-b, --reference-b.
Inputs are those of \`unetc run\`, or noise from a fixed seed. Exits with 1 where a block differs by more than --fail-above.

Examples:
  unetc drift two-heads.json four-heads.json --weights model.pt --svg out/drift.svg
  unetc drift mine.json mine.json --weights hash:1 --reference-b`;

interface Words extends DriftWords {
  readonly failAbove?: string;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('drift')
    .description('runs two models on the same inputs and shows where they part, block by block')
    .argument('<a>', 'graph file or bundle folder')
    .argument('<b>', 'graph file or bundle folder')
    .requiredOption('--weights <W>', WEIGHTS)
    .option(...ALLOW_UNEXPECTED)
    .option('--weights-b <W>', 'other weights for B')
    .option('--inputs <IN>', 'safetensors with x, timesteps, and where the models take them y, low_res')
    .option('--batch <N>', "images (default: as many as x has, 1; a bundle's own)")
    .option('--size <HxW>', 'another image size than the graphs say')
    .option('--precision <NAME>', 'f32 or f16')
    .option('--precision-b <NAME>', 'another precision for B')
    .option('--target <NAME>', 'what to compile for (default: auto, what suits the adapter)')
    .option('--strict', 'leave out every algorithm that is less exact than the plain one')
    .option('--strict-b', 'the same for B alone')
    .option('--reference', 'compute in float64 without a GPU: slow, for checking')
    .option('--reference-b', 'the same for B alone')
    .option('--tolerance <X>', 'relative L2 up to which two results count as the same', '1e-5')
    .option('--fail-above <X>', 'exit with 1 where a block differs by more, as relative L2')
    .option('--svg <FILE>', 'write a plot')
    .option('--json', 'one JSON document on stdout')
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
