// The hour on a GPU in short experiments (`npm run bench:gpu`, `node dist/cli/bench/gpu.js` where there is no npm): float16
// beside PyTorch and ONNX Runtime. Each is one case, one engine, one process under a limit, with a file of its own as soon as
// it has ended; called again it goes on. Graph files in the call take the place of the three models.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot, packageVersion } from '../../engine/package.ts';
import type { BenchResult } from './bench.ts';
import { type Outcome, readResults, runExperiments } from './gpu-experiments.ts';
import { type CompiledKernels, compileKernels, type KernelLine, surviveKernels } from './gpu-kernels.ts';
import { type Experiment, nameOf, planExperiments, wordsOf } from './gpu-plan.ts';
import { benchTable } from './table.ts';

const MODELS = ['cifar10', 'imagenet64', 'lsun256'].map((name) =>
  join(packageRoot(), 'graphs', `${name}.json`),
);
const HELP = `Usage: node dist/cli/bench/gpu.js [GRAPH ...] [options]

  --batches LIST    batches of each model (default: 1,64,16)
  --limit SECONDS   what an experiment may take (default: 400); a kernel may take a tenth
  --results DIR     where results are kept, a file an experiment (default: out/gpu)
  --only TEXT       experiments whose names contain it
  --again           also what failed or took too long before
  --table           only the table of what is there
all other options are passed to unetc bench, such as --python PATH and --runs N
`;

interface Settings {
  readonly graphs: readonly string[];
  readonly batches: readonly number[];
  readonly limit: number;
  readonly results: string;
  readonly only: string;
  readonly again: boolean;
  readonly table: boolean;
  readonly others: readonly string[];
}

/** The words of the call. */
function settingsOf(words: readonly string[]): Settings {
  const rest = [...words];
  const take = (name: string): string | undefined => {
    const at = rest.indexOf(name);
    return at < 0 ? undefined : rest.splice(at, 2)[1];
  };
  const flag = (name: string): boolean => {
    const at = rest.indexOf(name);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  };
  const numbers = (text: string, name: string) =>
    text.split(',').map((word) => {
      const value = Number(word);
      if (!(value > 0)) throw new Error(`${name}: found '${text}', expected numbers above 0`);
      return value;
    });
  const settings = {
    batches: numbers(take('--batches') ?? '1,64,16', '--batches'),
    limit: numbers(take('--limit') ?? '400', '--limit')[0]!,
    results: take('--results') ?? join('out', 'gpu'),
    only: take('--only') ?? '',
    again: flag('--again'),
    table: flag('--table'),
  };
  const graphs = rest.filter((word) => word.endsWith('.json'));
  return { ...settings, graphs, others: rest.filter((word) => !graphs.includes(word)) };
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly late: boolean;
}

/** A process whose stdout goes to `take`; it is ended where it gives no sign of life for so many seconds, or at all. */
function runProcess(words: readonly string[], limit: number, take: (text: string) => void): Promise<Ended> {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let late = false;
  const end = () => {
    late = true;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(end, limit * 1000);
  child.stdout.setEncoding('utf8').on('data', take);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, late });
    });
  });
}

function reasonOf({ code, signal }: Ended): string {
  return signal === null ? `it ended with exit code ${code}` : `it ended by ${signal}`;
}

async function runCommand(words: readonly string[], limit: number): Promise<Outcome> {
  let text = '';
  const main = join(packageRoot(), 'dist', 'cli', 'main.js');
  const ended = await runProcess([main, ...words], limit, (more) => {
    text += more;
  });
  if (ended.late) return { status: 'limit', message: `it took more than ${limit} s` };
  try {
    const result = JSON.parse(text) as Partial<BenchResult> & {
      readonly error?: { readonly message: string };
    };
    if (result.error !== undefined)
      return { status: 'failed', message: result.error.message.split('\n')[0]! };
    const lacking = result.peers?.find(({ status }) => status !== 'measured');
    if (lacking?.status !== 'absent' && lacking?.status !== 'failed') return { status: 'done', result };
    return { status: 'failed', message: `${lacking.name} is ${lacking.status}: ${lacking.reason}` };
  } catch {
    return { status: 'failed', message: reasonOf(ended) };
  }
}

/** Kernels in processes of their own, which tell of each in a line. */
function runKernels({ model, batch }: Experiment, limit: number): Promise<Outcome> {
  return surviveKernels(async (first, tell) => {
    let rest = '';
    const words = [process.argv[1]!, '--compile', model, String(batch), String(first)];
    const ended = await runProcess(words, limit, (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) tell(JSON.parse(line) as KernelLine);
    });
    if (ended.late) return `it took more than ${limit} s`;
    return ended.code === 0 ? null : reasonOf(ended);
  });
}

/** A table of what is there, and what is wrong. */
function report(folder: string): string {
  const results = readResults(folder);
  const done = results.flatMap((one) => (one.status === 'done' ? [one] : []));
  const benches = done.flatMap(({ experiment, result }) =>
    experiment.kind === 'bench' ? [result as BenchResult] : [],
  );
  const kernels = done.flatMap(({ experiment, result }) =>
    experiment.kind === 'kernels' ? (result as CompiledKernels).kernels : [],
  );
  const faults = [
    ...kernels.flatMap(({ file, fault }) => (fault === null ? [] : [`- kernel ${file}: ${fault}\n`])),
    ...results.flatMap((one) =>
      one.status === 'done' ? [] : [`- ${nameOf(one.experiment)}: ${one.message}\n`],
    ),
  ];
  const table = benches.length > 0 ? benchTable(benches, 'markdown') : 'no passes were timed yet\n';
  return `### ${benches[0]?.adapter ?? 'no adapter'}\n\n${table}${faults.join('')}`;
}

async function main(words: readonly string[]): Promise<number> {
  if (words.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  if (words[0] === '--compile') {
    const [, model = '', batch, first] = words;
    await compileKernels(model, Number(batch), Number(first), (line) =>
      process.stdout.write(`${JSON.stringify(line)}\n`),
    );
    return 0;
  }
  const { graphs, batches, limit, results, only, again, table, others } = settingsOf(words);
  if (!table) {
    const all = planExperiments(graphs.length > 0 ? graphs : MODELS, batches);
    await runExperiments(
      all.filter((one) => nameOf(one).includes(only)),
      {
        ...{ folder: results, unetc: packageVersion(), again },
        note: (line) => process.stderr.write(`${line}\n`),
        run: (one) =>
          one.kind === 'kernels' ? runKernels(one, limit) : runCommand(wordsOf(one, others), limit),
      },
    );
  }
  process.stdout.write(report(results));
  return readResults(results).some(({ status }) => status === 'done') ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
