// The worker of a page: it loads and computes, so that the page never waits. One thing is done at a time; whatever comes in
// meanwhile waits its turn, but for `stop`.

import { RuntimeError } from '../../runtime/errors.ts';
import type { OpenedModel } from '../../runtime/host/web/open-model.ts';
import type { OpenProgress } from '../../runtime/host/web/open-options.ts';
import type { Fault, Request, Told } from '../messages.ts';
import { isKept, openPage, type Place } from './open.ts';
import { type Run, startRun, walk } from './run.ts';

/** What is used of the scope of a worker, which the types of a page do not have. */
interface Scope {
  onmessage: ((event: { readonly data: Request }) => void) | null;
  postMessage(told: Told, transfer: readonly Transferable[]): void;
}
const scope = globalThis as unknown as Scope;

/** A device that is lost this often in one run is not asked for again. */
const MOST_LOSSES = 2;

/** Milliseconds within which the loss of a device is told. */
const LOSS_TOLD = 2000;

/** What the worker has of its page. */
interface State extends Place {
  opened: Opened | null;
  /** The run that was stopped, or failed on the way. */
  run: Run | null;
}

/** A model with what is known of its device. */
interface Opened {
  readonly model: OpenedModel;
  /** Whether the device is gone, whoever met that. */
  isLost: boolean;
}

let state: State | null = null;
let turn: Promise<void> = Promise.resolve();
let stopping = new AbortController();

scope.onmessage = ({ data: request }) => {
  if (request.kind === 'stop') {
    stopping.abort();
    return;
  }
  if (request.kind === 'model') {
    const { model: page, base } = request;
    state = { page, base, opened: null, run: null };
  }
  turn = turn.then(async () => {
    stopping = new AbortController();
    const run = 'run' in request ? request.run : null;
    await answer(request).catch((error: unknown) => {
      if (stopping.signal.aborted && run !== null) tell({ kind: 'stopped', run });
      else tell({ kind: 'failed', run, fault: faultOf(error) });
    });
  });
};

async function answer(request: Request): Promise<void> {
  const here = state;
  if (here === null) throw new Error('internal: a worker is told its model first');
  switch (request.kind) {
    case 'model':
      tell({ kind: 'kept', isKept: await isKept(here) });
      return;
    case 'open':
      if (request.kept && !(await isKept(here))) return;
      await open(here);
      return;
    case 'draw':
      here.run = startRun(request.run, request.job);
      return drive(here, here.run);
    case 'resume':
      if (here.run?.id !== request.run)
        throw new Error('internal: the run that is gone on with is not the last');
      return drive(here, here.run);
    case 'stop':
      return;
  }
}

/** Takes a run to its end; a device that is lost on the way is opened again, and the run goes on where it was. */
async function drive(here: State, run: Run): Promise<void> {
  for (let losses = 0; ; losses++) {
    const opened = await open(here);
    try {
      await withTabs(
        'unetc drawing',
        'another tab draws, too: both share the GPU, and each takes longer',
        () => walk(run, { model: opened.model, page: here.page }, stopping.signal, tell),
      );
      here.run = null;
      tell({ kind: 'done', run: run.id, seconds: run.seconds });
      return;
    } catch (error) {
      const loss = await lossBehind(error, opened);
      if (loss === null || stopping.signal.aborted || losses >= MOST_LOSSES) throw error;
      // what to do about it follows behind the first clause, and is being done
      const [message] = loss.message.split(';');
      tell({
        kind: 'note',
        about: 'lost',
        text: `${message}; it is opened again, and drawing goes on where it was`,
      });
    }
  }
}

/**
 * Why the device is gone, where that is behind an error; null where it is not. What was under way may fail a moment before the
 * loss is told.
 */
async function lossBehind(error: unknown, { model }: Opened): Promise<RuntimeError | null> {
  if (!(error instanceof RuntimeError) || error.kind !== 'gpu') return null;
  const moment = new Promise<null>((resolve) => setTimeout(resolve, LOSS_TOLD, null));
  return Promise.race([model.lost, moment]);
}

/** The model, ready to run: as it is, or opened anew where the device is gone. */
async function open(here: State): Promise<Opened> {
  if (here.opened !== null && !here.opened.isLost) return here.opened;
  await here.opened?.model.close().catch(() => undefined);
  here.opened = null;
  const downloaded = new Map<string, number>();
  const opening = {
    signal: stopping.signal,
    onProgress(progress: OpenProgress) {
      if (progress.stage === 'compile') return tell({ ...progress, kind: 'compiling' });
      const { file, of, from, received, all } = progress;
      if (from === 'server') downloaded.set(file, received);
      if (of === 'weights') tell({ kind: 'loading', loaded: all.received });
    },
    onNote(text: string) {
      const plain = text.replaceAll(here.base, '').replaceAll(`?${here.page.digest}`, '');
      tell({ kind: 'note', about: 'model', text: plain });
    },
  };
  const model = await openPage(here, opening);
  const opened: Opened = { model, isLost: false };
  here.opened = opened;
  void model.lost.then(() => {
    opened.isLost = true;
  });
  const bytes = [...downloaded.values()].reduce((sum, count) => sum + count, 0);
  tell({ kind: 'ready', adapter: model.adapter, downloaded: bytes });
  return opened;
}

/** Runs work beside other tabs, and tells where there are any. */
async function withTabs<T>(name: string, text: string, work: () => Promise<T>): Promise<T> {
  if (navigator.locks === undefined) return work();
  return navigator.locks.request(name, { ifAvailable: true }, (lock) => {
    if (lock === null) tell({ kind: 'note', about: 'tabs', text });
    return work();
  });
}

function tell(told: Told): void {
  const transfer =
    told.kind === 'step'
      ? told.guesses.map(({ picture }) => picture.data.buffer)
      : told.kind === 'sample'
        ? [told.placed.picture.data.buffer, told.values.buffer]
        : [];
  scope.postMessage(told, transfer);
}

function faultOf(error: unknown): Fault {
  if (error instanceof RuntimeError) return { kind: error.kind, message: error.message };
  return {
    kind: 'internal',
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  };
}
