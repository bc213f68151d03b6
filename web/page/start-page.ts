// A page with its model: what is asked for goes to the worker, and what comes back to the sheet.

import { sampleShape } from '../../runtime/sampler/request.ts';
import { checkJob, type Job, usualJob } from '../job.ts';
import { linkOf, readLink } from '../link.ts';
import type { Request, Told } from '../messages.ts';
import type { PageModel } from '../page-model.ts';
import { byId } from './elements.ts';
import { createForm } from './form.ts';
import { createReplay } from './replay.ts';
import { savePicture, saveSheet, saveValues } from './save.ts';
import { createSheet } from './sheet.ts';
import { type Status, showStep, watchBackground } from './status.ts';
import { bytesIn, counted, factsOf, loadedOf, seconds, troubleOf } from './words.ts';

/** What the page is at. */
type Phase = 'idle' | 'busy' | 'stopped' | 'done' | 'failed';

/** Everything there is to do with a model; without a worker only what it looks like. */
export function startPage(model: PageModel, status: Status, works: boolean): void {
  document.title = model.name;
  byId('name').textContent = model.name;
  byId('facts').textContent = factsOf(model);
  byId('made').textContent = `Made with unetc ${model.unetc}`;
  const [draw, stop, resume] = [byId<HTMLButtonElement>('draw'), byId('stop'), byId('resume')];
  const total = model.model.bytes + (model.classifier?.bytes ?? 0);
  const usual = usualJob(model);
  const sheet = createSheet(model, byId('sheet'), (named) => void savePicture(model.name, named));
  const values = new Map<number, Float32Array>();
  const replay = createReplay(sheet.replay);
  let phase: Phase = 'idle';
  let run = 0;
  let drawn: Job | null = null;
  let begun = 0;

  const mistake = byId('mistake');
  const tellMistake = (text: string | null) => {
    mistake.hidden = text === null;
    mistake.textContent = text ?? '';
  };
  const form = createForm(
    model,
    byId('fields'),
    () => {
      tellMistake(null);
      // pictures that are there stay until others are drawn
      if (phase !== 'idle') return;
      const job = readForm();
      if (job !== null) sheet.plan(job);
    },
    tellMistake,
  );
  /** The form's job where it can be drawn; with `tell` the reader is told why not. */
  const readForm = (tell = false): Job | null => {
    try {
      const job = form.read();
      // before a picture is chosen the rest can be planned
      const { low_res_size } = model.denoiser;
      checkJob(
        tell || low_res_size === null ? model : withoutLowRes(model),
        tell ? job : { ...job, low_res: null },
      );
      return job;
    } catch (error) {
      if (tell) tellMistake(error instanceof Error ? error.message : String(error));
      return null;
    }
  };

  const enter = (next: Phase) => {
    phase = next;
    const busy = next === 'busy';
    const focused = document.activeElement;
    draw.hidden = busy;
    stop.hidden = !busy;
    resume.hidden = next !== 'stopped';
    if (busy && (focused === draw || focused === resume)) stop.focus();
    if (!busy && focused === stop) draw.focus();
    byId('sheet').setAttribute('aria-busy', String(busy));
    if (busy) {
      status.recover();
      status.dismiss('tab');
      begun = performance.now();
      clock = setInterval(() => status.clock(seconds((performance.now() - begun) / 1000)), 200);
    } else {
      clearInterval(clock);
      document.title = model.name;
    }
    const some = sheet.done().length > 0;
    byId('after').hidden = busy || !some;
    replay.show(next === 'done' ? sheet.steps : 0);
  };
  let clock: ReturnType<typeof setInterval> | undefined;

  const worker = works ? new Worker('worker.js') : null;
  const post = (request: Request) => worker?.postMessage(request);
  const begin = (job: Job) => {
    drawn = job;
    values.clear();
    sheet.begin(job);
    history.replaceState(null, '', `#${linkOf(job, model.digest)}`);
    run += 1;
    enter('busy');
    // on a phone the pictures are below the form
    if (innerWidth < 800) byId('status').scrollIntoView({ block: 'start' });
    status.line('Getting the model ready');
    status.progress(0, 'getting ready');
    status.say(`Drawing ${counted(job.seeds.length, 'picture')}`);
    post({ kind: 'draw', run, job });
  };
  byId('form').addEventListener('submit', (event) => {
    event.preventDefault();
    if (phase === 'busy' || worker === null) return;
    tellMistake(null);
    const job = readForm(true);
    if (job !== null) begin(job);
  });
  const askStop = () => {
    if (phase !== 'busy') return;
    status.line('Stopping behind this step');
    post({ kind: 'stop' });
  };
  stop.addEventListener('click', askStop);
  addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') askStop();
  });
  resume.addEventListener('click', () => {
    enter('busy');
    post({ kind: 'resume', run });
  });

  const hear = (told: Told): void => {
    if ('run' in told && told.run !== null && told.run !== run) return;
    switch (told.kind) {
      case 'kept':
        if (phase === 'idle') {
          status.line(
            told.isKept ? 'The model is on this device' : `The first picture loads ${bytesIn(total)}, once`,
          );
        }
        // what has to be compiled can be compiled before it is asked for
        if (told.isKept) post({ kind: 'open', kept: true });
        return;
      case 'loading': {
        if (phase !== 'busy') return;
        const text = loadedOf(Math.min(told.loaded, total), total);
        status.line(`Loading the model: ${text}`);
        status.progress(Math.min(1, told.loaded / total), text);
        return;
      }
      case 'compiling':
        if (phase === 'busy') status.line(`Compiling for this GPU: ${told.done} of ${told.total} kernels`);
        return;
      case 'ready':
        byId('where').textContent =
          `Everything is computed on this device (${told.adapter}); nothing is sent anywhere.`;
        if (phase === 'idle') status.line('Ready');
        return;
      case 'step':
        sheet.guess(told.guesses, told.step, told.steps);
        showStep(status, told, sheet.done().length, drawn?.seeds.length ?? 0);
        document.title = `${Math.floor((100 * told.done) / told.total)}% · ${model.name}`;
        return;
      case 'sample':
        sheet.finish(told.placed);
        values.set(told.placed.position, told.values);
        return;
      case 'done': {
        const text = `${counted(values.size, 'picture')} in ${seconds(told.seconds)}`;
        enter('done');
        status.line(text);
        status.progress(1, 'done');
        status.clock('');
        status.say(`Done: ${text}`);
        return;
      }
      case 'stopped':
        enter('stopped');
        status.line('Stopped; what is shown are the guesses so far');
        status.clock('');
        status.say('Stopped');
        return;
      case 'note':
        status.note(told.about, told.text);
        return;
      case 'failed':
        status.line('');
        status.clock('');
        enter('failed');
        status.fail(troubleOf(told.fault));
    }
  };
  worker?.addEventListener('message', ({ data }: MessageEvent<Told>) => hear(data));
  worker?.addEventListener('error', ({ message }) => {
    hear({
      kind: 'failed',
      run: null,
      // an error without words is a file that did not come
      fault: message
        ? { kind: 'internal', message }
        : { kind: 'bundle', message: 'worker.js did not start; it lies beside index.html' },
    });
  });

  watchBackground(() => phase === 'busy', status);
  byId('save-sheet').addEventListener('click', () => void saveSheet(model.name, sheet.done()));
  byId('save-values').addEventListener('click', () => {
    const ordered = [...values].sort(([a], [b]) => a - b).map(([, one]) => one);
    saveValues(model.name, sampleShape(model.denoiser), ordered);
  });
  byId('copy-link').addEventListener('click', async () => {
    const copied = await navigator.clipboard.writeText(location.href).then(
      () => 'Copied',
      () => 'Copy it from the address bar',
    );
    byId('copy-link').textContent = copied;
    status.say(copied);
    setTimeout(() => {
      byId('copy-link').textContent = 'Copy a link to these';
    }, 3000);
  });

  /** Takes a link's job into the form, and draws it. */
  const follow = () => {
    try {
      const linked = readLink(location.hash, usual);
      if (linked === null || phase === 'busy') return;
      form.show(linked.job);
      const job = readForm(true);
      if (linked.lacksPicture)
        status.note('link', 'this link was made with a picture too large for a link; choose it again');
      if (linked.digest !== null && linked.digest !== model.digest) {
        status.note(
          'link',
          'this link was made with another model or other weights than this page has now; its pictures were others',
        );
      }
      if (job === null) return;
      if (worker === null) sheet.plan(job);
      else begin(job);
    } catch (error) {
      tellMistake(error instanceof Error ? error.message : String(error));
    }
  };
  addEventListener('hashchange', follow);

  draw.disabled = worker === null;
  form.show(usual);
  sheet.plan(usual);
  post({ kind: 'model', model, base: new URL('.', location.href).href });
  follow();
}

/** A model that takes whatever the form has but the picture. */
function withoutLowRes(model: PageModel): PageModel {
  return { ...model, denoiser: { ...model.denoiser, low_res_size: null } };
}
