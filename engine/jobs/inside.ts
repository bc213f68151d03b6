// A job's files lie below its folder and nowhere else, whatever a manifest or a link says.

import fs from 'node:fs';
import path from 'node:path';
import { fault } from '../../runtime/bytes.ts';

/** Whether a name, with `/` between folders, leads to a file below the folder that it is told in. */
export function isInside(name: string): boolean {
  const parts = name.split('/');
  return !/[\\\p{C}]/u.test(name) && parts.every((part) => part !== '' && part !== '.' && part !== '..');
}

/**
 * The place of a file below a folder. Nothing on the way from the folder to it may be a link, for that leads elsewhere; the
 * folder itself may. Throws RuntimeError('output').
 */
export function placeInside(folder: string, name: string): string {
  let place = folder;
  for (const part of name.split('/')) {
    place = path.join(place, part);
    const found = fs.lstatSync(place, { throwIfNoEntry: false });
    if (found === undefined) break;
    if (found.isSymbolicLink()) {
      throw fault(
        { kind: 'output', label: place },
        'this is a link, and what a job writes or removes stays in its folder; remove the link, or name another folder',
      );
    }
  }
  return path.join(folder, name);
}
