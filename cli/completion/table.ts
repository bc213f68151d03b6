// The commands and their options as completion needs them, read from the commands themselves.

import type { Command, Option } from 'commander';
import { VALUES } from './values.ts';

/** What a shell offers for a value: words, files, folders, or nothing. */
export type Offer =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' | 'folders' | 'nothing' };

export interface CompletedOption {
  /** As they are typed: `-o`, `--output`. */
  readonly names: readonly string[];
  readonly about: string;
  /** Null where it takes no value. */
  readonly value: Offer | null;
}

export interface CompletedCommand {
  readonly name: string;
  readonly about: string;
  readonly options: readonly CompletedOption[];
  /** What stands without an option. */
  readonly argument: Offer;
}

/** What the value of an option is, by its name in help: `--weights <W>`. */
const FILES: readonly string[] = ['W', 'IN', 'OUT', 'FILE', 'PATH', 'GRAPH'];
const FOLDERS: readonly string[] = ['DIR'];

/** The commands of a program, help and what help hides left out. */
export function completionTable(commands: readonly Command[]): readonly CompletedCommand[] {
  return commands.map((command) => {
    const name = command.name();
    const options = command.options.filter(({ hidden }) => !hidden);
    const [argument] = command.registeredArguments;
    const choices = argument?.argChoices;
    return {
      name,
      about: command.description(),
      options: [...options.map((option) => completed(name, option)), HELP],
      argument:
        argument === undefined
          ? { kind: 'nothing' }
          : choices === undefined
            ? { kind: 'files' }
            : { kind: 'words', words: choices },
    };
  });
}

const HELP: CompletedOption = { names: ['-h', '--help'], about: 'print help', value: null };

function completed(command: string, { short, long, flags, description }: Option): CompletedOption {
  const names = [short, long].filter((name) => name !== undefined);
  const value = /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1];
  return {
    names,
    about: description,
    value: value === undefined ? null : offerOf(command, long ?? flags, value),
  };
}

function offerOf(command: string, option: string, value: string): Offer {
  const words = VALUES[`${command} ${option}`] ?? VALUES[option];
  if (words !== undefined) return { kind: 'words', words };
  if (FOLDERS.includes(value)) return { kind: 'folders' };
  return FILES.includes(value) ? { kind: 'files' } : { kind: 'nothing' };
}
