// The options that several commands take, a row each: what an option is called, what help says of it, and under which
// heading. A command names the rows that it takes, and says where it differs.

import { type Command, Option } from 'commander';
import { WEIGHTS } from './weights.ts';

/** The headings of help, in the order in which commands list their options. */
const HEADINGS = {
  input: 'Inputs:',
  data: 'How the data is read:',
  output: 'Output:',
  weights: 'Weights:',
  model: 'How the model is compiled:',
  sampling: 'Sampling:',
  run: 'How it is run:',
  other: 'Options:',
} as const;

interface Row {
  readonly flags: string;
  readonly about: string;
  readonly under: keyof typeof HEADINGS;
}

const ROWS = {
  weights: { flags: '--weights <W>', about: WEIGHTS, under: 'weights' },
  allowUnexpected: {
    flags: '--allow-unexpected',
    about: 'leave out tensors of the weights that the graph does not have, and list them',
    under: 'weights',
  },
  renameMap: {
    flags: '--rename-map <FILE>',
    about: 'read the weights by a map that unetc diff --write-rename-map wrote',
    under: 'weights',
  },
  dtype: {
    flags: '--dtype <NAME>',
    about: 'how the weights are stored: f32 or f16, which is half of it (default: f32)',
    under: 'output',
  },
  shardSize: {
    flags: '--shard-size <BYTES>',
    about:
      'the most bytes of a file, such as 24MiB: more are written as shards with their index (default: one file)',
    under: 'output',
  },
  batch: { flags: '--batch <N>', about: 'images in a forward pass', under: 'model' },
  size: { flags: '--size <HxW>', about: 'another image size than the graph says', under: 'model' },
  precision: { flags: '--precision <NAME>', about: 'f32 or f16', under: 'model' },
  target: {
    flags: '--target <NAME>',
    about: 'what to compile for (default: auto, what suits the adapter)',
    under: 'model',
  },
  memory: {
    flags: '--memory <LIMIT>',
    about: 'the most that weights and activations may take, such as 600MB',
    under: 'model',
  },
  strict: {
    flags: '--strict',
    about: 'leave out every algorithm that is less exact than the plain one',
    under: 'model',
  },
  for: {
    flags: '--for <PURPOSE>',
    about: 'choose convolutions for latency, the first sample, or for throughput, the most samples a second',
    under: 'model',
  },
  tuning: {
    flags: '--tuning <FILE>',
    about:
      'choose convolutions by what unetc tune measured; none for the cost model (default: what ships for the target)',
    under: 'model',
  },
  taps: {
    flags: '--taps',
    about: 'add the feature vectors to the outputs: down.i, middle, up.i',
    under: 'model',
  },
  gradient: {
    flags: '--gradient',
    about: "add a classifier's gradient to the outputs, and labels y to the inputs",
    under: 'model',
  },
  gradients: {
    flags: '--gradients',
    about: 'compute the loss of a training batch and the gradients of all parameters instead',
    under: 'model',
  },
  dropout: {
    flags: '--dropout',
    about: 'draw dropout there, which else drops nothing',
    under: 'model',
  },
  train: {
    flags: '--train',
    about: 'a whole step of training instead: loss, gradients, AdamW, moving averages',
    under: 'model',
  },
  averages: {
    flags: '--averages <N>',
    about: 'with --train: moving averages of the parameters (default: 1)',
    under: 'model',
  },
  accumulate: {
    flags: '--accumulate',
    about: 'with --train: add up the gradients of microbatches',
    under: 'model',
  },
  clipGradients: {
    flags: '--clip-gradients',
    about: 'with --train: parameters change once all gradients are known, for --max-grad-norm',
    under: 'model',
  },
  freeze: {
    flags: '--freeze <LIST>',
    about: 'with --train: parameters that stay: names, their beginnings, patterns: time_embed,*.norm.*',
    under: 'model',
  },
  classifier: {
    flags: '--classifier <MODEL>',
    about: 'a classifier that guides to the labels of --class: its graph, or a bundle with its gradient',
    under: 'sampling',
  },
  classifierWeights: {
    flags: '--classifier-weights <W>',
    about: 'its weights, as those of --weights',
    under: 'sampling',
  },
  classifierScale: {
    flags: '--classifier-scale <SCALE>',
    about: 'how far it moves a step (default: 1)',
    under: 'sampling',
  },
  classifierPrecision: {
    flags: '--classifier-precision <NAME>',
    about: 'its precision, f32 or f16 (default: as --precision)',
    under: 'sampling',
  },
  reference: {
    flags: '--reference',
    about: 'compute in float64 without a GPU: slow, for checking',
    under: 'run',
  },
  timeout: {
    flags: '--timeout <SECONDS>',
    about:
      'give up a pass that does not end, and name its kernel (default: 60, or 20 times the estimate where that is more)',
    under: 'run',
  },
  trust: {
    flags: '--trust',
    about: "run a bundle's kernels as they are, and do not compare them with what its graph compiles to",
    under: 'run',
  },
  progress: {
    flags: '--progress <KIND>',
    about: 'on stderr: auto, json (a document a line), or none',
    under: 'other',
  },
  quiet: { flags: '--quiet', about: 'no progress', under: 'other' },
  json: { flags: '--json', about: 'one JSON document on stdout', under: 'other' },
} as const satisfies Record<string, Row>;

export type SharedOption = keyof typeof ROWS;

/** How a command's option differs from its row. */
interface Change {
  /** What help says instead. */
  readonly about?: string;
  readonly required?: true;
  /** The value where it is not given; help shows it. */
  readonly usual?: string;
}

/** What every command takes that opens weights. */
export const WEIGHT_OPTIONS = ['weights', 'allowUnexpected', 'renameMap'] as const;

/** What every command takes that compiles a graph, or opens a bundle that was compiled so. */
export const COMPILE_OPTIONS = [
  'batch',
  'size',
  'precision',
  'target',
  'memory',
  'strict',
  'for',
  'tuning',
] as const satisfies readonly SharedOption[];

/** What every command takes that a classifier can guide. */
export const CLASSIFIER_OPTIONS = [
  'classifier',
  'classifierWeights',
  'classifierScale',
  'classifierPrecision',
] as const satisfies readonly SharedOption[];

/** What every command takes that opens a model on a device. */
export const MODEL_OPTIONS = [...WEIGHT_OPTIONS, ...COMPILE_OPTIONS, 'timeout', 'trust'] as const;

/** Adds rows to a command, in this order. A change may be a text: what help says instead. */
export function addOptions<Name extends SharedOption>(
  command: Command,
  names: readonly Name[],
  changes: { readonly [name in Name]?: string | Change } = {},
): Command {
  for (const name of names) {
    const { flags, about, under }: Row = ROWS[name];
    const changed: string | Change = changes[name] ?? {};
    const { required = false, usual, ...change } = typeof changed === 'string' ? { about: changed } : changed;
    const option = new Option(flags, change.about ?? about).helpGroup(HEADINGS[under]);
    command.addOption(option.default(usual).makeOptionMandatory(required));
  }
  return command;
}

/** The heading for options of a command's own. */
export function heading(under: keyof typeof HEADINGS): string {
  return HEADINGS[under];
}

/** An option with one more name, which scripts say and help does not show. */
class AliasedOption extends Option {
  constructor(
    flags: string,
    about: string,
    readonly alias: string,
  ) {
    super(flags, about);
  }
  /** What the parser asks of every option for a word of the call. */
  is(word: string): boolean {
    return word === this.short || word === this.long || word === this.alias;
  }
}

/** Where a command writes to: `-o` and `--output`, and `--out` as an alias. */
export function outputOption(value: '<DIR>' | '<FILE>' | '<OUT>', about: string): Option {
  return new AliasedOption(`-o, --output ${value}`, about, '--out').helpGroup(HEADINGS.output);
}

/** Where `diff` writes its rename map; `--rename-map`, which reads one elsewhere, is an alias. */
export function renameMapOutput(): Option {
  return new AliasedOption(
    '--write-rename-map <FILE>',
    'write how checkpoints of A are read by B, for the --rename-map of commands that open a model',
    '--rename-map',
  );
}
