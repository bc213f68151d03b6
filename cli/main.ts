#!/usr/bin/env node
// The command line: which commands there are. Heavy modules are imported inside their actions.

import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { register as bench } from './commands/bench.ts';
import { register as check } from './commands/check.ts';
import { register as compile } from './commands/compile.ts';
import { register as completion } from './commands/completion.ts';
import { register as convert } from './commands/convert.ts';
import { register as data } from './commands/data.ts';
import { register as demo } from './commands/demo.ts';
import { register as diff } from './commands/diff.ts';
import { register as doctor } from './commands/doctor.ts';
import { register as drift } from './commands/drift.ts';
import { register as encode } from './commands/encode.ts';
import { register as evaluate } from './commands/evaluate.ts';
import { register as expand } from './commands/expand.ts';
import { register as exportOnnx } from './commands/export.ts';
import { register as gradients } from './commands/gradients.ts';
import { register as graph } from './commands/graph.ts';
import { register as importFolder } from './commands/import.ts';
import { register as infer } from './commands/infer.ts';
import { register as init } from './commands/init.ts';
import { register as inputs } from './commands/inputs.ts';
import { register as merge } from './commands/merge.ts';
import { register as profile } from './commands/profile.ts';
import { register as report } from './commands/report.ts';
import { register as run } from './commands/run.ts';
import { register as sample } from './commands/sample.ts';
import { register as stats } from './commands/stats.ts';
import { register as train } from './commands/train.ts';
import { register as tune } from './commands/tune.ts';
import { register as validate } from './commands/validate.ts';
import { register as web } from './commands/web.ts';
import type { Context, Register } from './context.ts';
import { runProcess } from './process.ts';
import { runProgram } from './program.ts';

/** The commands, in the order in which help lists them. */
export const commands: readonly Register[] = [
  group('Graphs:'),
  ...[validate, expand, stats, graph, diff, report],
  group('Running:'),
  ...[compile, inputs, run, sample, encode, merge, web],
  group('Training:'),
  ...[data, train, init, gradients, evaluate],
  group('Checkpoints:'),
  ...[convert, importFolder, infer, check, exportOnnx],
  group('Measuring:'),
  ...[bench, profile, tune, drift],
  group('This machine:'),
  ...[doctor, demo, completion],
];

/** The heading under which help lists the commands that follow. */
function group(heading: string): Register {
  return (program) => {
    program.commandsGroup(heading);
  };
}

/**
 * Runs `unetc` in this process and returns the exit code; never throws.
 *
 * `argv` are the words after `unetc`.
 */
export function main(argv: readonly string[], context: Context): Promise<number> {
  return runProgram(argv, context, commands);
}

const entry = process.argv[1];
if (entry && import.meta.url === pathToFileURL(realpathSync(entry)).href) await runProcess(main);
