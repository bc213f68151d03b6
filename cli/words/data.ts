// The options of commands that read training data, as they were typed.

import type { Command } from 'commander';
import type { DataOptions } from '../../engine/data/data-options.ts';
import { UsageError } from '../../engine/errors.ts';
import { parseChoice } from '../parse.ts';
import { heading } from './options.ts';

export interface DataWords {
  readonly labels?: string;
  readonly background?: string;
  readonly flip?: boolean;
  readonly crop?: string;
  readonly workers?: string;
}

/** What `--data D` may be, for help. */
export const DATA_KINDS = `
D is a folder of PNG, JPEG and GIF (all folders below it, too), an .npz (arr_0 and arr_1, or images and labels by their
names) or .npy, IDX as MNIST has it (.gz too, the labels beside the images), CIFAR's binary files or the folder of them,
or a .safetensors with x_start (y, low_res) in [-1, 1]. See docs/data.md.`;

/** Adds the options to a command that trains or looks at what is trained with. */
export function dataOptions(command: Command): Command {
  return readingOptions(command)
    .option('--flip', 'mirror half of the images')
    .option('--crop <PART>', 'centre, or random: parts of a picture of at least four fifths', 'centre');
}

/** Adds those of how an image is read, without what is drawn at random. */
export function readingOptions(command: Command): Command {
  return command
    .optionsGroup(heading('data'))
    .option('--labels <SOURCE>', "names (the files' up to the first _) or folders", 'names')
    .option(
      '--background <COLOUR>',
      'what transparent pictures are put over, such as #ffffff (default: alpha is dropped)',
    )
    .option('--workers <N>', 'threads that decode pictures (default: one less than cores, at most 4)');
}

/** Reads the words. Throws UsageError for one that is off. */
export function parseDataOptions(words: DataWords): DataOptions {
  const { labels, background, flip, crop, workers } = words;
  return {
    labels: labels === undefined ? undefined : parseChoice(labels, '--labels', ['names', 'folders'] as const),
    background,
    flip,
    crop: crop === undefined ? undefined : parseChoice(crop, '--crop', ['centre', 'random'] as const),
    workers: workers === undefined ? undefined : parseWorkers(workers),
  };
}

function parseWorkers(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new UsageError(`--workers: found '${text}', expected a whole number such as 2`);
}
