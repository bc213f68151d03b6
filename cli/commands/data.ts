// `unetc data`: what a folder or a file has for training a model, before it is trained.

import type { Survey } from '../../engine/data/survey.ts';
import type { Register } from '../context.ts';
import { hostOf } from '../host.ts';
import { parseCount, parseSeeds, parseSize } from '../parse.ts';
import { DATA_KINDS, type DataWords, dataOptions, parseDataOptions } from '../words/data.ts';
import { addOptions, heading } from '../words/options.ts';

const NOTES = `
Every image is read and reduced as training does it: halved while it is at least twice too large, resized by bicubic
interpolation to cover the model's size, cut out of the middle. What cannot be read is named and left out.
--preview shows the first images with their labels; with --flip, --crop random or --seed it shows the first of a run.

Examples:
  unetc data photos --graph graphs/cifar10.json --labels folders --preview photos.png
  unetc data train-images-idx3-ubyte.gz --graph graphs/mnist.json --json`;

interface Words extends DataWords {
  readonly graph: string;
  readonly size?: string;
  readonly seed?: string;
  readonly limit?: string;
  readonly preview?: string;
  readonly progress?: string;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('data')
    .description(
      'prints what there is to train a model with: images, labels, sizes, files that cannot be read',
    )
    .argument('<data>', 'a folder of pictures, or a file of arrays')
    .optionsGroup(heading('input'))
    .requiredOption('--graph <GRAPH>', 'the graph file of the model');
  dataOptions(command)
    .option('--seed <S>', 'what a run draws order, flips and crops from')
    .option('--limit <N>', 'read only the first N images')
    .optionsGroup(heading('output'))
    .option('--preview <FILE>', 'write the first 64 images, as the model sees them, to a PNG');
  addOptions(command, ['size', 'progress', 'quiet', 'json'], { progress: { usual: 'auto' } })
    .addHelpText('after', DATA_KINDS + NOTES)
    .action(async (place: string, words: Words) => {
      const { readGraph } = await import('../../engine/graph/graph-file.ts');
      const { wantedBy } = await import('../../engine/data/open-data.ts');
      const { surveyData } = await import('../../engine/data/survey.ts');
      const { parseProgress } = await import('../words/sample.ts');
      const { checkWritable, writeFile } = await import('../../runtime/host/node/files.ts');
      const { warnAll } = await import('../../engine/host.ts');
      const host = hostOf(context, parseProgress(words));
      const options = {
        ...parseDataOptions(words),
        seed: words.seed === undefined ? undefined : parseSeeds(words.seed)[0],
      };
      const limit = words.limit === undefined ? null : parseCount(words.limit, '--limit', 2 ** 31);
      const { graph, warnings } = readGraph(words.graph, {
        size: words.size === undefined ? undefined : parseSize(words.size),
      });
      warnAll(host, warnings, words.graph);
      if (words.preview !== undefined) checkWritable(words.preview);
      const job = { place, options, limit, preview: words.preview !== undefined };
      const { survey, sheet } = await surveyData(job, wantedBy(graph), host);
      const preview = sheet === null ? null : words.preview!;
      if (sheet !== null) writeFile(words.preview!, sheet);
      if (words.json) return context.stdout(`${JSON.stringify({ ...survey, preview }, null, 2)}\n`);
      context.stdout(printSurvey(survey));
      for (const note of survey.notes) host.note(note);
      if (preview !== null) context.stdout(`${preview}: written\n`);
    });
};

/** Rows of classes, and of files that were left out. */
const LISTED = 20;

function printSurvey(survey: Survey): string {
  const { data, kind, count, read, usable, skipped, model, classes, pictures, values, threads } = survey;
  const size = model.size.join('x');
  const takes = `${model.channels} ${model.channels === 1 ? 'channel' : 'channels'} of ${size}`;
  const partly = read < count ? `, ${whole(read)} of them read` : '';
  const lines = [
    `${data}: ${whole(count)} ${count === 1 ? 'image' : 'images'} (${kind})${partly}, for a model of ${takes}`,
    row(
      'usable',
      `${whole(usable)}${skipped.count === 0 ? '' : `, ${whole(skipped.count)} ${skipped.count === 1 ? 'file' : 'files'} left out`}`,
    ),
    ...(pictures === null ? [] : pictureLines(pictures)),
    row(
      'values',
      `${number(values.min)} to ${number(values.max)}, mean ${number(values.mean)}, deviation ${number(values.deviation)}`,
    ),
    row('time', `${survey.ms_per_image.toFixed(2)} ms an image, ${threadWords(threads)}`),
    ...(classes === null ? [] : classLines(classes, model.classes)),
    ...skipped.files.slice(0, LISTED).map(({ file, reason }) => `  left out: ${file}: ${reason}`),
    ...(skipped.count > LISTED ? [`  … and ${whole(skipped.count - LISTED)} more (--json lists them)`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function pictureLines({
  kinds,
  smallest,
  median,
  largest,
}: NonNullable<Survey['pictures']>): readonly string[] {
  const listed = kinds.map(
    ({ format, colours, bits, count }) =>
      `${whole(count)} ${format} ${colours.replace('_', '+')} ${bits} bit`,
  );
  const sizes = `${smallest.join('x')} to ${largest.join('x')}, median ${median.join('x')}`;
  return [row('pictures', listed.slice(0, 6).join(', ')), row('width x height', sizes)];
}

function classLines(classes: NonNullable<Survey['classes']>, taken: number | null): readonly string[] {
  const counts = classes.map(({ count }) => count);
  const spread = `${whole(Math.min(...counts))} to ${whole(Math.max(...counts))} images each`;
  const model = taken === null ? 'the model has none' : `the model has ${taken}`;
  return [
    row('classes', `${classes.length}, ${spread}; ${model}`),
    ...classes.slice(0, LISTED).map(({ label, name, count }) => {
      return `  ${String(label).padStart(6)}  ${(name ?? '').padEnd(20)} ${whole(count).padStart(10)}`;
    }),
    ...(classes.length > LISTED ? [`  … and ${classes.length - LISTED} more (--json lists them)`] : []),
  ];
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(16)}${value}`;
}

function threadWords(threads: number): string {
  return threads === 0 ? 'in this thread' : threads === 1 ? 'by 1 thread' : `by ${threads} threads`;
}

function whole(n: number): string {
  return n.toLocaleString('en-US');
}

function number(x: number): string {
  return x.toFixed(3);
}
