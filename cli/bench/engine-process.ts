// Starts the process of an engine and speaks with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GraphError } from '../../compiler/diagnostics.ts';
import { UsageError } from '../../engine/errors.ts';
import { packageRoot } from '../../engine/package.ts';
import { RuntimeError, type RuntimeErrorKind } from '../../runtime/errors.ts';
import { EngineAbsent } from './engine.ts';
import { type EngineJob, type FailedReply, isTorch, parseReply, type Ready, type Reply } from './protocol.ts';

/** An engine that does not answer for this long hangs. */
const PATIENCE_MS = 600_000;

/** The last characters of an engine's stderr that a fault quotes. */
const QUOTED = 1000;

export interface EngineProcess {
  readonly ready: Ready;
  /** From the start of the process to its first result. */
  readonly cold_start_ms: number;
  /** One pass; its milliseconds, measured inside the process. */
  run(): Promise<number>;
  /** Writes the output of the first pass to the job's file. */
  write(): Promise<void>;
  /** Ends the process; the most memory that it held. */
  end(): Promise<{ readonly rss_peak_bytes: number }>;
  /** Ends it at once, whatever it does. */
  kill(): void;
}

export interface StartOptions {
  /** The Python that has torch. */
  readonly python: string;
  readonly signal: AbortSignal;
  /** Beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts an engine and waits for its first result. Throws EngineAbsent where it is not on this system, RuntimeError of
 * the engine's kind where it fails.
 */
export async function startEngine(job: EngineJob, options: StartOptions): Promise<EngineProcess> {
  const [command, script] = commandOf(job, options.python);
  const begin = performance.now();
  const child = spawn(command, [script, JSON.stringify(job)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  const stop = () => child.kill('SIGKILL');
  options.signal.addEventListener('abort', stop, { once: true });
  child.once('close', () => options.signal.removeEventListener('abort', stop));
  const replies = listen(child, job.engine);
  const ask = async <R extends Reply['reply']>(line: string | null, expected: R) => {
    if (line !== null) child.stdin.write(`${line}\n`);
    const found = await replies();
    options.signal.throwIfAborted();
    if (found.reply === 'absent') throw new EngineAbsent(found.message);
    if (found.reply === 'failed') throw faultOf(found, job.engine);
    if (found.reply !== expected) throw new Error(`${job.engine} answered out of turn`);
    return found as Extract<Reply, { readonly reply: R }>;
  };
  try {
    const ready = await ask(null, 'ready');
    return {
      ready,
      cold_start_ms: performance.now() - begin,
      run: async () => (await ask('run', 'ran')).ms,
      write: async () => void (await ask('write', 'written')),
      end: async () => {
        const { rss_peak_bytes } = await ask('end', 'done');
        stop();
        return { rss_peak_bytes };
      },
      kill: stop,
    };
  } catch (error) {
    stop();
    throw error;
  }
}

function commandOf({ engine }: EngineJob, python: string): readonly [command: string, script: string] {
  const folder = join(packageRoot(), 'dist', 'cli', 'bench');
  const script = join(folder, isTorch(engine) ? 'torch_engine.py' : 'worker.js');
  if (!existsSync(script)) throw new UsageError(`${script} is not built: run \`npm run build\``);
  return [isTorch(engine) ? python : process.execPath, script];
}

/** The replies of a process one by one; its end, a fault of its start and silence are replies, too. */
function listen(child: ChildProcess, engine: string): () => Promise<Reply> {
  const waiting: ((reply: Reply) => void)[] = [];
  const arrived: Reply[] = [];
  let last: Reply | null = null;
  let complaints = '';
  const deliver = (reply: Reply) => {
    const next = waiting.shift();
    if (next) next(reply);
    else arrived.push(reply);
  };
  const gone = (reply: Reply) => {
    last ??= reply;
    for (const next of waiting.splice(0)) next(last);
  };
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-QUOTED);
  });
  // A process that is gone cannot be written to; that it is gone is told by its end.
  child.stdin?.on('error', () => undefined);
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') gone({ reply: 'absent', message: `there is no ${error.path ?? engine}` });
    else gone({ reply: 'failed', kind: 'internal', message: error.message });
  });
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (line) => {
    const reply = parseReply(line);
    if (reply) deliver(reply);
  });
  child.on('close', (code, signal) => {
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    const why = signal === 'SIGKILL' ? '; the system may have run out of memory' : '';
    const message = `its process ended ${how}${why}${complaints ? `\n${complaints.trim()}` : ''}`;
    gone({ reply: 'failed', kind: 'gpu', message });
  });
  return () =>
    new Promise((resolve) => {
      const first = arrived.shift() ?? last;
      if (first) return resolve(first);
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        gone({ reply: 'failed', kind: 'gpu', message: `no answer in ${PATIENCE_MS / 1000} s` });
      }, PATIENCE_MS);
      waiting.push((reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
    });
}

const KINDS: readonly RuntimeErrorKind[] = ['weights', 'input', 'bundle', 'adapter', 'gpu', 'output'];

/** The error of an engine's process as one of this process. */
function faultOf({ kind, message, file, diagnostics }: FailedReply, engine: string): Error {
  if (kind === 'graph' && diagnostics !== undefined) return new GraphError(diagnostics, file ?? engine);
  // of an option, as it is spelled here
  if (kind === 'usage') return new UsageError(message);
  const known = KINDS.find((one) => one === kind);
  return known ? new RuntimeError(known, `${engine}: ${message}`) : new Error(`${engine}: ${message}`);
}
