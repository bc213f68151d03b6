// What faults of the file system mean: a RuntimeError that names the path and says what to do.

import type { Origin } from '../../bytes.ts';
import { RuntimeError } from '../../errors.ts';

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
  ENFILE: 'too many files are open on this machine; end what holds them, or raise fs.file-max',
  ENOMEM: 'the system has no memory left for it; free some, or give the process more',
  ENAMETOOLONG: 'the name is too long for the file system',
  ELOOP: 'too many symbolic links lead on from it',
  ENXIO: 'this is a socket or a device; name a regular file',
  EIO: 'the device reports an input/output error; check the disk or the network that it comes from',
  ESTALE: 'the server knows the file no more; mount the file system again',
  ETIMEDOUT: 'the server does not answer; check the network that it comes from',
};

/** The system refused to open, to read or to write; nothing that a file holds is at fault. */
export class SystemFault extends RuntimeError {
  constructor({ kind, label }: Origin, message: string, cause: unknown) {
    super(kind, `${label}: ${message}`, { cause });
  }
}

/** Memory that was asked for to read or to decode, and that the system did not give. */
export function noMemory(origin: Origin, cause: unknown): SystemFault {
  return new SystemFault(origin, ADVICE.ENOMEM!, cause);
}

/** Runs `action` and turns what the file system throws into a SystemFault that names the path. */
export function guarded<T>(origin: Origin, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw systemFaultOf(origin, error) ?? error;
  }
}

/** What the system threw, as a fault of `origin`; null where it was not the system. */
export function systemFaultOf(origin: Origin, error: unknown): SystemFault | null {
  // V8 has no other word for it
  if (error instanceof RangeError && error.message === 'Array buffer allocation failed')
    return noMemory(origin, error);
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  const code = String(error.code);
  const advice = Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined;
  return new SystemFault(origin, advice ?? error.message, error);
}
