// What a killed process leaves half written: the temporaries of `writeFile`, told by their names.

import fs from 'node:fs';
import path from 'node:path';

/** Removes the temporaries in a folder that were to become a file that `isMine`; other files of the folder stay. */
export function removeTemporaries(folder: string, isMine: (name: string) => boolean): void {
  let names: readonly string[];
  try {
    names = fs.readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const target = /^\.(.+)\.[0-9a-f]{8}\.tmp$/.exec(name)?.[1];
    if (target !== undefined && isMine(target)) fs.rmSync(path.join(folder, name), { force: true });
  }
}
