// `unetc` from dist/ as a process under a watch: how it ended, what it printed, how long it took and how much memory.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { packageRoot } from '../../engine/package.ts';

/** The program as it was built. */
export const MAIN = path.join(packageRoot(), 'dist', 'cli', 'main.js');

export interface Watched {
  /** Null where a signal ended it. */
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of a processor; where it was killed, by the clock. */
  readonly seconds: number;
  /** The most memory that it had, in MB; 0 where the system does not tell, or it was killed. */
  readonly megabytes: number;
}

export interface WatchOptions {
  readonly cwd?: string;
  /** Seconds after which it is killed. */
  readonly patience?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A user and group by number, for those who may choose. */
  readonly user?: number | undefined;
}

/**
 * Prints, as the last words of stderr, the seconds of a processor and the most memory that the process had, where the
 * system tells. What `resourceUsage` says of memory is no less than that of the process which started it.
 */
const WATCH = `data:text/javascript,${encodeURIComponent(
  `import fs from 'node:fs'; process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    let peak = '';
    try { peak = /VmHWM:.*/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[0] } catch {}
    process.stderr.write('\\ncpu ' + (user + system) / 1e6 + ' ' + peak);
  })`,
)}`;

/** Runs `unetc` with these words to its end. Nothing can be read from its stdin. */
export function watched(words: readonly string[], options: WatchOptions = {}): Promise<Watched> {
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', WATCH, MAIN, ...words], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stdout.length < 2 ** 24) stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < 2 ** 24) stderr += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), (options.patience ?? 60) * 1000);
  return new Promise((resolve) => {
    child.on('close', (exit, signal) => {
      clearTimeout(timer);
      const told = /^(.*)\ncpu ([\d.]+) (?:VmHWM:\s*(\d+) kB)?$/s.exec(stderr);
      const [, before = stderr, cpu, peak = '0'] = told ?? [];
      const seconds = cpu === undefined ? (performance.now() - start) / 1000 : Number(cpu);
      resolve({ exit, signal, stdout, stderr: before, seconds, megabytes: Number(peak) / 1024 });
    });
  });
}
