// A hostile input as a process: the files that it is made of, the words, and what has to become of it.

import fs from 'node:fs';
import path from 'node:path';

/** What a case puts into its folder: bytes, text, or whatever `at` is called to make there. */
export type Content = string | Uint8Array | ((at: string) => void);

export interface HostileCase {
  readonly name: string;
  /** The words behind `unetc`, for a process in the case's folder; a file of the corpus is a path from `corpus`. */
  readonly words: readonly string[];
  readonly files: Readonly<Record<string, () => Content>>;
  readonly exit: number;
  /** What stderr must name: the place, and mostly what was found there. */
  readonly says: readonly string[];
  /** Names of files that it may write; nothing else may change. */
  readonly writes: readonly string[];
  /** The most that it may take of a processor. */
  readonly seconds: number;
  readonly megabytes: number;
  /**
   * Modes of files and folders while the process runs, as a user that they then hold for: root, who is denied nothing,
   * runs it as nobody.
   */
  readonly modes: Readonly<Record<string, number>>;
}

/** Limits of a process that refuses, of a processor and of memory: half a second and some 60 MB are Node's own. */
const SECONDS = 5;
const MEGABYTES = 130;

type Changes = Partial<Pick<HostileCase, 'files' | 'writes' | 'seconds' | 'megabytes' | 'modes'>>;

/** A case; `words` are separated by spaces. */
export function bad(
  name: string,
  words: string | readonly string[],
  exit: number,
  says: string | readonly string[],
  changes: Changes = {},
): HostileCase {
  return {
    name,
    words: typeof words === 'string' ? words.split(' ') : words,
    exit,
    says: typeof says === 'string' ? [says] : says,
    files: {},
    writes: [],
    seconds: SECONDS,
    megabytes: MEGABYTES,
    modes: {},
    ...changes,
  };
}

/** Puts the files of a case into its folder. */
export function lay(files: HostileCase['files'], folder: string): void {
  for (const [name, make] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const content = make();
    if (typeof content === 'function') content(file);
    else fs.writeFileSync(file, content);
  }
}
