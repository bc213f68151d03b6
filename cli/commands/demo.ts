// `unetc demo`: ten handwritten digits from noise, by the command that makes them, which it shows.

import { relative } from 'node:path';
import { Command } from 'commander';
import { packageRoot } from '../../engine/package.ts';
import type { Context, Register } from '../context.ts';
import { addOptions } from '../words/options.ts';
import { register as registerSample } from './sample.ts';

const out = 'out/demo';

export const register: Register = (program, context) => {
  const command = program
    .command('demo')
    .description('samples the ten digits from the model that comes with unetc');
  addOptions(command, ['json'])
    .addHelpText('after', `\nWrites ${out}/contact-sheet.png and one PNG a digit.`)
    .action((options: { json?: boolean }) => demo(context, options.json ?? false));
};

/** The words of the `sample` command that the demo runs. The seeds are fixed: the digits are always these. */
export function demoWords(): readonly string[] {
  const graphs = relative(process.cwd(), `${packageRoot()}/graphs`);
  return [
    ...['sample', `${graphs}/mnist.json`, '--weights', `${graphs}/mnist.safetensors`],
    ...[
      '--class',
      '0-9',
      '--seeds',
      '10-19',
      '--sampler',
      'ddim',
      '--steps',
      '50',
      '--batch',
      '10',
      '-o',
      out,
      '--no-resume',
    ],
  ];
}

async function demo(context: Context, json: boolean): Promise<void> {
  const words = [...demoWords(), ...(json ? ['--json'] : [])];
  context.stderr(
    'Ten handwritten digits, drawn from noise. The graph is checked, lowered to tensor operations, fused and\n' +
      'written as WebGPU kernels; Dawn runs them 50 times (DDIM) on the adapter that is here. The command:\n\n' +
      `  unetc ${words.join(' ')}\n\n`,
  );
  const start = performance.now();
  const program = new Command('unetc').exitOverride();
  registerSample(program, context);
  await program.parseAsync([...words], { from: 'user' });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  context.stderr(`\nDone in ${seconds} s. Look at ${out}/contact-sheet.png\n`);
}
