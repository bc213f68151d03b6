// What faults of the file system mean: a RuntimeError that names the path and says what to do.

import { fault, type Origin } from '../../bytes.ts';

export const IS_FOLDER = 'this is a folder; name a file';

/** What a fault of the file system means to the person who gave the path, by its code. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder; check the path',
  EACCES: 'permission denied; check who owns it and its mode',
  EPERM: 'the operation is not permitted; check who owns it and its mode',
  EISDIR: IS_FOLDER,
  ENOTDIR: 'a part of the path is a file where a folder is needed',
  ENOSPC: 'no space is left on the device; free some, or write elsewhere',
  EDQUOT: 'the disk quota is used up; free some, or write elsewhere',
  EFBIG: 'the file is larger than the file system allows; write elsewhere',
  EROFS: 'the file system is read-only; write elsewhere',
  EMFILE: 'too many files are open; raise the limit with `ulimit -n`',
  ENAMETOOLONG: 'the name is too long for the file system',
  ELOOP: 'too many symbolic links lead on from it',
  ENXIO: 'this is a socket or a device; name a regular file',
  EIO: 'the device reports an input/output error',
};

/** Runs `action` and turns what the file system throws into a RuntimeError that names the path. */
export function guarded<T>(origin: Origin, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) throw error;
    const code = String(error.code);
    throw fault(origin, (Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined) ?? error.message, error);
  }
}
