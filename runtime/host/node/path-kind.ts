// What a path leads to.

import fs from 'node:fs';

/** What a path leads to, following links; `other` where links lead in a circle. */
export function pathKind(file: string): 'file' | 'folder' | 'other' | 'missing' {
  let stat: fs.Stats | undefined;
  try {
    stat = fs.statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return 'other';
    throw error;
  }
  if (stat === undefined) return 'missing';
  return stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
}
