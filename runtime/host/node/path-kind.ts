// What a path leads to.

import fs from 'node:fs';

/** Codes of what opening the path meets again, and then tells in the words of whoever opens it. */
const MET_AGAIN = ['ELOOP', 'EACCES', 'ENAMETOOLONG'];

/** What a path leads to, following links; `other` where that is not to be found out, such as in a circle of links. */
export function pathKind(file: string): 'file' | 'folder' | 'other' | 'missing' {
  let stat: fs.Stats | undefined;
  try {
    stat = fs.statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (MET_AGAIN.includes((error as NodeJS.ErrnoException).code ?? '')) return 'other';
    throw error;
  }
  if (stat === undefined) return 'missing';
  return stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
}
