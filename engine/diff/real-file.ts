// Paths by which one file is told from another, whatever links lead to it.

import fs from 'node:fs';
import path from 'node:path';

/** The absolute path of a file in the folder that links lead to; the file itself, which may be a link, stays as named. */
export function realFile(file: string): string {
  const full = path.resolve(file);
  return path.join(realFolder(path.dirname(full)), path.basename(full));
}

/** Where links lead to; what is not there yet, in the folder that is. */
export function realFolder(folder: string): string {
  if (fs.existsSync(folder)) return fs.realpathSync(folder);
  const above = path.dirname(folder);
  return above === folder ? folder : path.join(realFolder(above), path.basename(folder));
}
