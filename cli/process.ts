// The process around a command: its streams, its signals, and the end of it.

import type { Context } from './context.ts';
import { wantsEvents } from './events.ts';
import { describeFailure, exitCodes, Interrupted, toldFailure } from './exit.ts';
import { printable } from './printable.ts';
import { keepHeapSmall, optimiseLater } from './v8.ts';

/** How long a command may take to stop after a signal before the process ends without it: it is gone in two seconds. */
const graceMs = 1600;

/**
 * Runs `main` with this process's words, streams and signals, and ends the process with its exit code.
 *
 * The process is always ended by force: a GPU that hangs cannot be destroyed, and Dawn would keep it alive.
 */
export async function runProcess(
  main: (argv: readonly string[], context: Context) => Promise<number>,
): Promise<never> {
  keepHeapSmall();
  optimiseLater();
  const events = wantsEvents(process.argv.slice(2));
  const controller = new AbortController();
  const faults = new Map<NodeJS.WriteStream, NodeJS.ErrnoException>();
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!faults.has(stream)) faults.set(stream, error);
    });
  }
  let waits = false;
  const write = (stream: NodeJS.WriteStream, text: string) => {
    if (!faults.has(stream)) stream.write(text);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const interrupted = new Interrupted(signal);
      const { exit } = describeFailure(interrupted);
      if (controller.signal.aborted) process.exit(exit);
      controller.abort(interrupted);
      const timer = setTimeout(() => {
        if (!waits) process.exit(exit);
      }, graceMs);
      timer.unref();
    });
  }
  const crash = (error: unknown) => {
    write(process.stderr, printable(toldFailure({ ...describeFailure(error), kind: 'internal' }, events)));
    process.exit(exitCodes.internal);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  const takesColor = !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  const terminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  const color = terminal && takesColor;
  const colorOut = process.stdout.isTTY === true && takesColor;
  const code = await main(process.argv.slice(2), {
    stdout: (text) => write(process.stdout, printable(text, { styles: colorOut })),
    stderr: (text) => write(process.stderr, printable(text, { styles: color, bars: terminal })),
    interactive: terminal,
    color,
    colorOut,
    signal: controller.signal,
    waitForEnd() {
      waits = true;
    },
  });

  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  const fault = faults.get(process.stdout);
  // A reader that has seen enough (`| head`) is no failure; a full disk behind `>` is.
  if (code === 0 && fault && fault.code !== 'EPIPE') {
    write(process.stderr, printable(toldFailure(describeFailure(fault), events)));
    await flush(process.stderr);
    process.exit(exitCodes.output);
  }
  process.exit(code);
}

/** Resolves when everything that was written to the stream has left the process, or cannot. */
function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}
