// `unetc bench`: how long a forward pass takes, here and by other engines.

import { availableParallelism } from 'node:os';
import { UsageError } from '../../engine/errors.ts';
import type { ModelOptions } from '../../engine/model/open-model.ts';
import { PEERS, type Peer } from '../bench/protocol.ts';
import type { Context, Register } from '../context.ts';
import { parseCount } from '../parse.ts';
import { type ModelWords, parseModelOptions } from '../words/model.ts';
import { addOptions, heading, MODEL_OPTIONS, outputOption } from '../words/options.ts';
import { KEYS } from '../words/weights.ts';

const NOTES = `
Every engine runs in a process of its own. The first result is timed apart, from the start of the process: with the
driver's cache as it was found, and with --cold also without one (Mesa only) and with one that holds every kernel.
After --warmup passes the median of --runs is taken; upload and readback count. Passes that take long are run less
often, three times at the least.

--against names peers: ort-cpu, ort-webgpu (onnxruntime-node), ort-wasm (onnxruntime-web), torch (PyTorch by
--python, in float32), and where that has CUDA torch-f16, torch-channels-last and torch-compile, in float16. They get the same weights and inputs, and run in turn with unetc; those that are not installed are named
as absent. Packages are looked for beside unetc and in the current folder. With --train torch alone is a peer, by
the squared error of the noise.

Examples:
  unetc bench graphs/cifar10.json --json
  unetc bench graphs/mnist.json graphs/cifar10.json --batch 1,4 --against ort-cpu,ort-webgpu,torch --markdown
  unetc bench graphs/cifar10.json --train --batch 4 --against torch
  unetc bench graphs/cifar10.json --scaling -o out/scaling.svg`;

interface Words extends ModelWords {
  readonly runs: string;
  readonly warmup: string;
  readonly cold?: boolean;
  readonly against?: string;
  readonly threads?: string;
  readonly python: string;
  readonly scaling?: boolean;
  readonly output?: string;
  readonly markdown?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('bench')
    .description('times forward passes or steps of training, alone or beside other engines')
    .argument('<models...>', 'graph files or bundle folders')
    .optionsGroup(heading('run'))
    .option('--runs <N>', 'passes that the median is of', '10')
    .option('--warmup <N>', 'passes before them', '3')
    .option('--cold', "also time starts without and with the driver's cache")
    .option('--against <PEERS>', 'other engines to compare with')
    .option('--threads <N>', 'threads of peers on the processor (default: all processors)')
    .option('--python <PATH>', 'the Python that has torch', 'python3')
    .option('--scaling', 'time over batch, image size and width instead; -o writes the plot')
    .addOption(outputOption('<FILE>', 'the SVG of --scaling'))
    .optionsGroup(heading('output'))
    .option('--markdown', 'a table in Markdown');
  addOptions(command, [...MODEL_OPTIONS, 'train', 'json'], {
    weights: { usual: 'hash:1' },
    train: 'time steps of training: forward pass, loss, backward pass, AdamW, one moving average',
    batch: "images in a forward pass, or several such as 1,4,16 (default: 1; a bundle's own)",
    json: 'one JSON document on stdout: of one model and batch, or {"cases": [...]}',
  })
    .addHelpText('after', KEYS + NOTES)
    .action((models: readonly string[], words: Words) => run(models, words, context));
};

async function run(models: readonly string[], words: Words, context: Context): Promise<void> {
  const { bench } = await import('../bench/bench.ts');
  const { benchTable } = await import('../bench/table.ts');
  if (words.json && words.markdown) throw new UsageError('--json and --markdown: only one can go to stdout');
  const { batch: batches, ...others } = words;
  const settings = (batches?.split(',') ?? [undefined]).map((batch) =>
    parseModelOptions(models[0]!, batch === undefined ? others : { ...others, batch: batch.trim() }),
  );
  if (words.output !== undefined && !words.scaling)
    throw new UsageError('-o: only --scaling makes a plot; results go to stdout');
  if (words.scaling) return scale(models, settings, words, context);
  const shared = {
    peers: parsePeers(words.against),
    runs: parseCount(words.runs, '--runs', 10_000),
    warmup: words.warmup === '0' ? 0 : parseCount(words.warmup, '--warmup', 10_000),
    cold: words.cold ?? false,
    threads:
      words.threads === undefined ? availableParallelism() : parseCount(words.threads, '--threads', 1024),
    python: words.python,
  };
  const results = [];
  for (const model of models) {
    for (const setting of settings)
      results.push(await bench({ model, options: setting, ...shared }, context));
  }
  if (words.json) {
    const document = results.length === 1 ? results[0] : { cases: results };
    context.stdout(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    context.stdout(benchTable(results, words.markdown ? 'markdown' : 'text'));
  }
}

async function scale(
  models: readonly string[],
  settings: readonly ModelOptions[],
  words: Words,
  context: Context,
): Promise<void> {
  const { measureScaling } = await import('../bench/scaling.ts');
  const { scalingPlot } = await import('../bench/scaling-plot.ts');
  const { scalingTable } = await import('../bench/table.ts');
  const { checkWritable, writeFile } = await import('../../runtime/host/node/files.ts');
  const [model] = models;
  if (models.length > 1 || words.against !== undefined || words.cold || words.train)
    throw new UsageError('--scaling: it measures one model, without --against, --cold and --train');
  if (words.output !== undefined) checkWritable(words.output);
  const scaling = await measureScaling(
    {
      ...{ model: model!, options: settings[0]!, runs: parseCount(words.runs, '--runs', 10_000) },
      batches: settings.map(({ batch = 1 }) => batch),
    },
    context,
  );
  if (words.output !== undefined) writeFile(words.output, scalingPlot(scaling));
  context.stdout(
    words.json ? `${JSON.stringify(scaling, null, 2)}\n` : scalingTable(scaling, words.markdown),
  );
}

/** The names of `--against` without repeats. */
function parsePeers(text: string | undefined): readonly Peer[] {
  const names = [...new Set((text ?? '').split(',').map((name) => name.trim()))].filter(
    (name) => name !== '',
  );
  return names.map((name) => {
    const peer = PEERS.find((one) => one === name);
    if (peer) return peer;
    throw new UsageError(`--against: found '${name}', expected peers of ${PEERS.join(', ')}`);
  });
}
