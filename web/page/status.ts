// What the page says about itself: the line above the pictures, the progress, notes, what went wrong, and a region that
// screen readers read out.

import type { Told } from '../messages.ts';
import { button, byId, make } from './elements.ts';
import { sentence, type Trouble } from './words.ts';

export interface Status {
  /** The line above the pictures. */
  line(text: string): void;
  /** How far something is, from 0 to 1; what it is of as a screen reader says it. */
  progress(part: number, text: string): void;
  clock(text: string): void;
  /** Reads a sentence out. */
  say(text: string): void;
  /** Shows a note until it is dismissed; one of the same kind takes its place. */
  note(kind: string, text: string): void;
  /** Takes notes of a kind away. */
  dismiss(kind: string): void;
  fail(trouble: Trouble): void;
  /** Takes away what went wrong. */
  recover(): void;
}

/** @param onAct called when the reader presses the button of what went wrong */
export function createStatus(onAct: (action: NonNullable<Trouble['action']>) => void): Status {
  const [line, clock, live] = [byId('status'), byId('clock'), byId('live')];
  const progress = byId('progress');
  const notices = byId('notices');
  const failure = byId('failure');
  const [title, text, detail, act] = failure.children as unknown as readonly HTMLElement[] & {
    readonly length: 4;
  };
  let action: Trouble['action'] = null;
  act!.addEventListener('click', () => {
    if (action !== null) onAct(action);
  });
  const dismiss = (kind: string) => {
    for (const item of notices.querySelectorAll(`[data-kind="${kind}"]`)) item.remove();
  };
  return {
    line(words) {
      line.textContent = words;
    },
    progress(part, words) {
      progress.style.setProperty('--part', String(part));
      progress.setAttribute('aria-valuenow', String(Math.round(part * 100)));
      progress.setAttribute('aria-valuetext', words);
    },
    clock(words) {
      clock.textContent = words;
    },
    say(words) {
      live.textContent = words;
    },
    note(kind, words) {
      dismiss(kind);
      const item = make('li', { 'data-kind': kind }, make('span', {}, sentence(words)));
      item.append(button('Dismiss', { class: 'quiet' }, () => item.remove()));
      notices.append(item);
    },
    dismiss,
    fail(trouble) {
      action = trouble.action;
      title!.textContent = trouble.title;
      text!.textContent = trouble.text;
      detail!.textContent = trouble.detail === trouble.text ? '' : trouble.detail;
      act!.textContent = trouble.action === 'reload' ? 'Load the page anew' : 'Try again';
      act!.hidden = trouble.action === null;
      failure.hidden = false;
    },
    recover() {
      failure.hidden = true;
    },
  };
}

/** Says how far a run is. */
export function showStep(
  status: Status,
  { step, steps, done, total }: Extract<Told, { kind: 'step' }>,
  finished: number,
  pictures: number,
): void {
  const before = finished > 0 ? `, ${finished} of ${pictures} done` : '';
  status.line(`Step ${step} of ${steps}${before}`);
  status.progress(done / total, `step ${step} of ${steps}${before}`);
  // a screen reader hears of quarters, not of every step
  const quarter = Math.floor((4 * done) / total);
  if (quarter > Math.floor((4 * (done - 1)) / total) && quarter < 4) status.say(`${25 * quarter} percent`);
}

/** Tells whoever comes back to the tab that drawing went on without them. */
export function watchBackground(isBusy: () => boolean, status: Status): void {
  let left = false;
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') left = isBusy();
    else if (left) {
      left = false;
      status.note('tab', 'drawing went on in the background; browsers may slow a tab down that is not seen');
    }
  });
}
