// `unetc diff`: what changed between two graphs, bundles or checkpoints, for a person or for CI.

import type { Register } from '../context.ts';
import type { DiffWords } from '../diff/options.ts';
import { addOptions, renameMapOutput } from '../words/options.ts';

const NOTES = `
A side is a graph file of either form, a bundle's folder, a checkpoint (.pt, .safetensors, an index of shards, or a part of
one as FILE#KEY), or one of them in git: git:REF:PATH. Models are compared, not texts: the order of keys, defaults and the form make no difference.
Severities: breaking (what worked no longer does, or gives something else), dangerous (it may), info.

Examples:
  unetc diff git:main:graphs/cifar10.json graphs/cifar10.json
  unetc diff --base main 'graphs/*.json'
  unetc diff git:main:graphs/cifar10.json graphs/cifar10.json --train --batch 64 --memory 8GB
  unetc diff old.json new.json --write-rename-map map.json && unetc run new.json --weights old.pt --rename-map map.json ...
  unetc diff old.json new.json --write-accepted accepted.json --reason "trained anew in run 12"
  git config diff.unetc.command 'npx unetc diff --git-driver'

With --train both graphs are also compiled as steps of training: bytes, operations, blocks that --memory has computed again,
and which parameters, moving averages and moments of a run of A go on with B.

--base follows renames, reports new graphs and graphs that are gone, and leaves out files beside graphs that are none,
such as schemas and accepted findings. Quote its patterns: git's own see files that are gone, too.

Exits 0 where nothing is at or above --fail-on, 1 where something is, 3, 4 or 6 where a side cannot be read.`;

export const register: Register = (program, context) => {
  const command = program
    .command('diff')
    .description('what changed between two graphs, bundles or checkpoints')
    .argument('[sides...]', 'two of: graph file, bundle folder, checkpoint, git:REF:PATH')
    .option(
      '--base <REF>',
      'instead of two sides: every graph that this branch changes since REF, by patterns of git',
    )
    .option('--format <NAME>', 'text, json, markdown, github, sarif or html', 'text')
    .option('--fail-on <SEVERITY>', 'breaking, dangerous, info or never', 'breaking')
    .option('--accept <FILE>', 'findings that were accepted: they do not fail')
    .option('--write-accepted [FILE]', 'accept what would fail now, in FILE or the file of --accept')
    .option('--reason <TEXT>', 'why, for --write-accepted')
    .option('--summary <FILE>', 'append the diff to FILE as Markdown, too')
    .addOption(renameMapOutput())
    .option('--schedule', 'compare schedules however large the graphs are')
    .option('--no-schedule', 'compare no schedules')
    .option('--target <NAME>', 'what graphs are compiled for', 'generic')
    .option('--kernels', 'show the sources of kernels that differ')
    .option('--all', 'list every place and every tensor')
    .option('--git-driver', "take the seven words of git's external diff");
  addOptions(command, ['train', 'batch', 'averages', 'precision', 'memory', 'json'], {
    train: 'also compare what a step of training takes, and what becomes of runs of A',
    batch: 'with --train: samples that are computed at once (default: 16)',
    precision: 'with --train: f32 or f16 (default: "f32")',
    memory: 'with --train: the most that a step may take, such as 2GB; what no longer fits is breaking',
    json: 'as --format json',
  })
    .addHelpText('after', NOTES)
    .action(async (sides: readonly string[], words: DiffWords) => {
      const { diffCommand } = await import('../diff/command.ts');
      await diffCommand(sides, words, context);
    });
};
