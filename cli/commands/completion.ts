// `unetc completion`: the program by which a shell completes the commands and their options.

import { Argument } from 'commander';
import type { Register } from '../context.ts';

const NOTES = `
Evaluate it where the shell starts; it is made of the commands of this version, and asks nothing of unetc later:
  eval "$(unetc completion bash)"                                    in ~/.bashrc
  eval "$(unetc completion zsh)"                                     in ~/.zshrc, behind compinit
  unetc completion fish > ~/.config/fish/completions/unetc.fish      once`;

export const register: Register = (program, context) => {
  program
    .command('completion')
    .description('prints what completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', NOTES)
    .action(async (name: string) => {
      const { completionFor, SHELLS } = await import('../completion/shells.ts');
      const { completionTable } = await import('../completion/table.ts');
      const { parseChoice } = await import('../parse.ts');
      const shell = parseChoice(name, 'shell', SHELLS);
      context.stdout(completionFor(shell, completionTable(program.commands)));
    });
};
