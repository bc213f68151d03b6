// Lets one call of the file system fail: every function of `node:fs` that the project calls is counted, and the k-th call
// does not do what it says. Nothing in the project knows of it.

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** How a call fails. `torn`: half of what was to be written is. `full`: from then on nothing more can be written. */
export type FileFault = 'EIO' | 'EACCES' | 'EMFILE' | 'ENOSPC' | 'torn' | 'full';

interface Call {
  readonly name: string;
  /** The path of the call, or that of its descriptor, where it has one. */
  readonly path: string;
}

/** What a call is about: the path that it names, or that its descriptor was opened by. */
function placeOf([first]: readonly unknown[], opened: ReadonlyMap<number, string>): string {
  return typeof first === 'string' ? first : typeof first === 'number' ? (opened.get(first) ?? '') : '';
}

export interface FileFaults {
  /** Counts calls from now on, those whose place is `counted`; with a fault, the call of this number (from 1) fails so. */
  begin(counted: RegExp, at?: number, fault?: FileFault): void;
  /** The calls since `begin`. */
  end(): readonly Call[];
}

const READS = [
  'readSync',
  'readFileSync',
  'statSync',
  'fstatSync',
  'readdirSync',
  'realpathSync',
  'readlinkSync',
];
const WRITES = [
  'writeSync',
  'writeFileSync',
  'mkdirSync',
  'renameSync',
  'linkSync',
  'fsyncSync',
  'utimesSync',
  'appendFileSync',
];
const REMOVALS = ['rmSync', 'rmdirSync', 'unlinkSync'];
const OTHERS = ['openSync', 'closeSync', 'accessSync', 'existsSync', 'mkdtempSync'];

/** The faults that a call can have. */
export function faultsOfCall(name: string): readonly FileFault[] {
  if (name === 'writeSync' || name === 'writeFileSync') return ['ENOSPC', 'EIO', 'torn', 'full'];
  if (name === 'openSync') return ['EMFILE', 'EACCES', 'full'];
  if (name === 'existsSync') return [];
  if (WRITES.includes(name)) return ['ENOSPC', 'EIO'];
  if (REMOVALS.includes(name)) return ['EACCES'];
  return READS.includes(name) ? ['EIO', 'EACCES'] : ['EIO'];
}

export const isRemoval = (name: string): boolean => REMOVALS.includes(name);

type AnyFunction = (...args: readonly unknown[]) => unknown;

/** Puts itself between the project and `node:fs`, once a process. */
export function watchFileSystem(): FileFaults {
  const system = fs as unknown as Record<string, AnyFunction>;
  let calls: Call[] | null = null;
  let places = /./;
  let [at, fault]: [number, FileFault | null] = [0, null];
  const opened = new Map<number, string>();
  for (const name of [...READS, ...WRITES, ...REMOVALS, ...OTHERS]) {
    const original = system[name]!;
    const call = (...args: readonly unknown[]): unknown => {
      if (calls === null) return original(...args);
      // a function of the system may call another: that is one call of the project
      const counted = calls;
      const place = placeOf(args, opened);
      const counts = places.test(place);
      if (counts) counted.push({ name, path: place });
      calls = null;
      try {
        const due = counts && fault !== null && counted.length === at;
        const full = fault === 'full' && counted.length > at && writes(name, args);
        if (due || full) return fail(name, fault!, args, original);
        const result = original(...args);
        if (name === 'openSync') opened.set(result as number, place);
        return result;
      } finally {
        calls = counted;
      }
    };
    system[name] = Object.assign(call, original);
  }
  syncBuiltinESMExports();
  return {
    begin(counted, number = 0, how) {
      [calls, places, at, fault] = [[], counted, number, how ?? null];
    },
    end() {
      const found = calls ?? [];
      [calls, at, fault] = [null, 0, null];
      return found;
    },
  };
}

/** Whether a call needs room on the disk. */
function writes(name: string, args: readonly unknown[]): boolean {
  if (name === 'openSync') return /[wa]/.test(String(args[1]));
  return ['writeSync', 'writeFileSync', 'appendFileSync', 'mkdirSync', 'linkSync'].includes(name);
}

function fail(name: string, fault: FileFault, args: readonly unknown[], original: AnyFunction): never {
  // a descriptor is given back whatever close says
  if (name === 'closeSync') original(...args);
  if (fault === 'torn' && args[1] instanceof Uint8Array && name === 'writeSync') {
    const [fd, bytes, offset = 0, length = bytes.length] = args as [number, Uint8Array, number?, number?];
    if (length > 1) original(fd, bytes, offset, Math.floor(length / 2));
  }
  const code = fault === 'torn' || fault === 'full' ? 'ENOSPC' : fault;
  const syscall = name.replace(/Sync$/, '');
  const path = typeof args[0] === 'string' ? args[0] : undefined;
  const place = path === undefined ? '' : ` '${path}'`;
  const error = new Error(`${code}: injected fault, ${syscall}${place}`);
  throw Object.assign(error, { code, syscall, errno: -5, ...(path === undefined ? {} : { path }) });
}
