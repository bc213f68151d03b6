// The slider that shows the steps again, once all pictures are done.

import { byId } from './elements.ts';

/** `onStep` is called with the step that is to be shown; `show` says how many there are, and hides the slider for none. */
export function createReplay(onStep: (step: number) => void): { show(steps: number): void } {
  const field = byId('replay');
  const input = field.querySelector('input')!;
  const output = field.querySelector('output')!;
  input.addEventListener('input', () => {
    const step = Number(input.value);
    output.textContent = `step ${step} of ${input.max}`;
    input.setAttribute('aria-valuetext', output.textContent);
    onStep(step);
  });
  return {
    show(steps) {
      field.hidden = steps < 2;
      input.max = String(steps);
      input.value = String(steps);
      output.textContent = `step ${steps} of ${steps}`;
    },
  };
}
