// What help says beyond commands and options: examples, exit codes, the environment, and where the documents lie.

import { packageRoot } from '../engine/package.ts';

/** What is read of the environment, with what it is for; the README has the same. */
export const ENVIRONMENT = [
  ['UNETC_ADAPTER', 'part of the name of the adapter to use, as unetc doctor lists them'],
  ['UNETC_DAWN_TOGGLES', 'toggles of Dawn to switch on, comma-separated'],
  ['UNETC_MEMORY_CHECKS', "1 keeps Dawn's checks of memory for kernels that need none"],
  ['VK_DRIVER_FILES', 'the Vulkan drivers to load instead of the installed ones'],
  ['NO_COLOR', 'no colour'],
  ['SLURM_ARRAY_TASK_ID', 'with _MIN, _MAX, _STEP, _COUNT: which shard of sample or evaluate this is'],
  ['JOB_COMPLETION_INDEX', 'with JOB_COMPLETIONS: the same in a Kubernetes Indexed Job'],
  ['RANK', 'with WORLD_SIZE: the same elsewhere'],
] as const;

/** The documents, with what they are about. */
export const DOCUMENTS = [
  ['README.md', 'from a first graph to samples, the commands, checkpoints, speed'],
  ['graphs/README.md', 'the format of graphs, every rule, the published models'],
  ['docs/sampling.md', 'samplers, latents, shards, formats'],
  ['docs/training.md', 'training on data of your own, what is written, going on'],
  ['docs/evaluation.md', 'bits per dimension: terms, noise, folders, shards'],
  ['docs/diff.md', 'findings, accepted findings, workflows'],
  ['docs/api.md', 'the Node API'],
  ['docs/gpu.md', 'GPUs: expected times, measuring, bare machines'],
  ['docs/web.md', 'a model as a page'],
  ['docs/bundle.md', 'what a bundle is'],
  ['docs/README.md', 'all of them'],
] as const;

/** The document that says more of a command. */
const DOCUMENT_OF: Readonly<Record<string, string>> = {
  ...{ validate: 'graphs/README.md', expand: 'graphs/README.md', graph: 'graphs/README.md' },
  ...{ diff: 'docs/diff.md', report: 'docs/diff.md', compile: 'docs/bundle.md' },
  ...{
    data: 'docs/data.md',
    train: 'docs/training.md',
    init: 'docs/training.md',
    gradients: 'docs/training.md',
  },
  ...{ sample: 'docs/sampling.md', encode: 'docs/sampling.md', merge: 'docs/sampling.md' },
  evaluate: 'docs/evaluation.md',
  web: 'docs/web.md',
};

/** What stands behind the commands in `unetc --help`. */
export function helpOfProgram(): string {
  return `
Examples:
  unetc validate graphs/cifar10.json
  unetc compile graphs/mnist.json -o out/mnist
  unetc sample graphs/mnist.json --weights graphs/mnist.safetensors --seeds 0-15 --class 3 -o out/threes
  unetc doctor

Environment:
${table(ENVIRONMENT)}

Documents, in ${packageRoot()}:
${table(DOCUMENTS)}

Exit codes: 0 done, 1 a check found something, 2 usage, 3 graph, 4 weights, 5 input, 6 bundle, 7 adapter,
8 GPU, 9 output, 70 a bug of ours, 130 and 143 interrupted. --json prints one JSON document, also for errors.
unetc COMMAND --help lists the options of a command; unetc completion bash|zsh|fish completes them in a shell.`;
}

/** What stands at the end of a command's help. */
export function helpOfCommand(name: string): string {
  const file = Object.hasOwn(DOCUMENT_OF, name) ? DOCUMENT_OF[name]! : 'README.md';
  return `\nMore: ${packageRoot()}/${file}; environment variables and exit codes: unetc --help`;
}

function table(rows: readonly (readonly [name: string, about: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`).join('\n');
}
