// A thread that renders pictures. It takes tasks by number, answers each when it is done, and ends when it is told to and
// the last of its answers is out.

import { parentPort } from 'node:worker_threads';
import { type Rendered, type RenderTask, render } from './render.ts';

/** What a thread is told. */
export type ToWorker =
  | { readonly kind: 'task'; readonly id: number; readonly task: RenderTask }
  | { readonly kind: 'end' };

/** What a thread answers; a fault is a bug of ours. */
export type FromWorker =
  | { readonly id: number; readonly rendered: Rendered }
  | { readonly id: number; readonly fault: string };

const port = parentPort;
port?.on('message', (message: ToWorker) => {
  // The port keeps the thread alive; renderings under way do, too.
  if (message.kind === 'end') return port.unref();
  const { id, task } = message;
  render(task).then(
    (rendered) => {
      const moved = rendered.kind === 'planes' ? [rendered.planes.buffer as ArrayBuffer] : [];
      port.postMessage({ id, rendered } satisfies FromWorker, moved);
    },
    (error: unknown) => {
      const fault = error instanceof Error ? (error.stack ?? error.message) : String(error);
      port.postMessage({ id, fault } satisfies FromWorker);
    },
  );
});
