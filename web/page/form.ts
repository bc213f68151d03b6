// The form: what can be asked of the model, made of what it takes, and read into a job.

import { RuntimeError } from '../../runtime/errors.ts';
import { rangesOf, readNumbers } from '../../runtime/number-list.ts';
import {
  optionsOf,
  SAMPLER_KINDS,
  SAMPLERS,
  type SamplerKind,
  samplerOf,
} from '../../runtime/sampler/samplers/index.ts';
import type { Job } from '../job.ts';
import type { PageModel } from '../page-model.ts';
import { button, make } from './elements.ts';
import { labelField } from './labels.ts';
import { lowResField } from './low-res.ts';
import { sentence } from './words.ts';

export interface Form {
  /** What is asked for. Throws RuntimeError('input') where a field cannot be read. */
  read(): Job;
  show(job: Job): void;
}

/** What samplers are called by those who do not type their names. */
const TITLES: Readonly<Record<SamplerKind, string>> = { ddpm: 'DDPM', ddim: 'DDIM', dpmpp: 'DPM++' };

const STEP_CHOICES = [5, 10, 15, 25, 50, 100, 250];

/**
 * Makes the fields. `onChange` is called when the reader changes one, `onFault` with what is wrong with a picture that was
 * chosen.
 */
export function createForm(
  model: PageModel,
  fields: HTMLElement,
  onChange: () => void,
  onFault: (message: string) => void,
): Form {
  const picture = lowResField(model, onChange, onFault);
  const labels = labelField(model, onChange);
  const seeds = seedField(onChange);
  const sampler = samplerField(onChange);
  const steps = stepField(model.diffusion.steps, onChange);
  const guidance = model.null_class === null ? null : guidanceField(onChange);
  const scale = model.classifier === null ? null : scaleField(model.classifier.scale, onChange);
  const all = [picture, labels, seeds, sampler, steps, guidance, scale];
  fields.append(...all.flatMap((field) => (field === null ? [] : [field.element])));
  return {
    read: () => ({
      seeds: seeds.read(),
      labels: labels?.read() ?? [],
      sampler: sampler.read(),
      steps: steps.read(),
      guidance: guidance?.read() ?? null,
      classifier_scale: scale?.read() ?? null,
      low_res: picture?.read() ?? null,
    }),
    show(job) {
      seeds.show(job.seeds);
      labels?.show(job.labels);
      sampler.show(job.sampler);
      steps.show(job.steps);
      guidance?.show(job.guidance);
      scale?.show(job.classifier_scale);
      picture?.show(job.low_res);
    },
  };
}

interface Field<T> {
  readonly element: HTMLElement;
  read(): T;
  show(value: T): void;
}

function seedField(onChange: () => void): Field<readonly number[]> {
  const input = make('input', {
    type: 'text',
    id: 'seeds',
    autocomplete: 'off',
    spellcheck: false,
    'aria-describedby': 'seeds-hint',
  });
  input.addEventListener('input', onChange);
  const read = () => {
    const list = readNumbers(input.value);
    if ('fault' in list) throw new RuntimeError('input', `seeds: ${list.fault}`);
    return list.numbers;
  };
  const other = button('New', { 'aria-label': 'Other seeds, as many' }, () => {
    const found = readNumbers(input.value);
    const count = 'numbers' in found ? found.numbers.length : 1;
    const first = Math.floor(Math.random() * 1e6);
    input.value = rangesOf(Array.from({ length: count }, (_, i) => first + i));
    onChange();
  });
  const hint = make(
    'p',
    { class: 'hint', id: 'seeds-hint' },
    'A picture for each, such as 0-9 or 3, 7. The same seed gives the same picture.',
  );
  const pair = make('div', { class: 'pair' }, input, other);
  return {
    element: make('div', { class: 'field' }, make('label', { for: 'seeds' }, 'Seeds'), pair, hint),
    read,
    show(numbers) {
      input.value = rangesOf(numbers);
    },
  };
}

function samplerField(onChange: () => void): Field<Job['sampler']> {
  const radios = SAMPLER_KINDS.map((kind) => make('input', { type: 'radio', name: 'sampler', value: kind }));
  const row = make('div', { class: 'segments' });
  row.append(...SAMPLER_KINDS.map((kind, i) => make('label', {}, radios[i]!, TITLES[kind])));
  const hint = make('p', { class: 'hint' });
  const eta = slider('eta', 'Noise of its steps (eta)', { min: 0, max: 1, step: 0.05 }, onChange);
  const kind = (): SamplerKind => SAMPLER_KINDS.find((_, i) => radios[i]!.checked) ?? 'ddpm';
  const tell = () => {
    hint.textContent = sentence(SAMPLERS[kind()].about);
    eta.element.hidden = !('eta' in SAMPLERS[kind()].defaults);
  };
  row.addEventListener('change', () => {
    tell();
    onChange();
  });
  eta.element.style.marginTop = '0.75rem';
  return {
    element: make('fieldset', { class: 'field' }, make('legend', {}, 'Sampler'), row, hint, eta.element),
    read: () => samplerOf(kind(), 'eta' in SAMPLERS[kind()].defaults ? { eta: eta.read() } : {}),
    show(sampler) {
      for (const [i, radio] of radios.entries()) radio.checked = SAMPLER_KINDS[i] === sampler.kind;
      eta.show(optionsOf(sampler).eta ?? 0);
      tell();
    },
  };
}

function stepField(all: number, onChange: () => void): Field<string> {
  const choices = [...STEP_CHOICES.filter((count) => count < all), all];
  const options = choices.map((count) => make('option', { value: count }));
  const input = make('input', {
    ...{ type: 'text', id: 'steps', list: 'step-choices', autocomplete: 'off', spellcheck: false },
    'aria-describedby': 'steps-hint',
  });
  input.addEventListener('input', onChange);
  const hint = `More take longer and look better, up to ${all}. ddim50 and 10,10,20 are understood, too.`;
  return {
    element: make(
      'div',
      { class: 'field' },
      make('label', { for: 'steps' }, 'Steps'),
      input,
      make('datalist', { id: 'step-choices' }, ...options),
      make('p', { class: 'hint', id: 'steps-hint' }, hint),
    ),
    // all of the process has no name of its own in a job
    read: () => (input.value.trim() === String(all) ? '' : input.value.replaceAll(' ', '')),
    show(steps) {
      input.value = steps === '' ? String(all) : steps;
    },
  };
}

function guidanceField(onChange: () => void): Field<number | null> {
  const field = slider('guidance', 'Guidance', { min: 0, max: 10, step: 0.25 }, onChange);
  field.element.append(
    make('p', { class: 'hint' }, 'How strongly pictures keep to their label; 1 is the model’s own.'),
  );
  return {
    element: field.element,
    read: () => (field.read() === 1 ? null : field.read()),
    show: (value) => field.show(value ?? 1),
  };
}

function scaleField(usual: number, onChange: () => void): Field<number | null> {
  const most = Math.max(10, 2 * usual);
  const field = slider('scale', 'Classifier’s scale', { min: 0, max: most, step: most / 40 }, onChange);
  field.element.append(make('p', { class: 'hint' }, 'How strongly the classifier leads to the label.'));
  return { ...field, show: (value) => field.show(value ?? usual) };
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

function slider(id: string, title: string, { min, max, step }: Range, onChange: () => void): Field<number> {
  const input = make('input', { type: 'range', id, min, max, step: 'any' });
  const shown = make('output', { for: id });
  // a link may have any number, and the slider's own are round
  let value = min;
  const show = (next: number) => {
    value = next;
    input.value = String(next);
    shown.textContent = String(next);
    input.setAttribute('aria-valuetext', String(next));
  };
  input.addEventListener('input', () => {
    show(Number((Math.round(Number(input.value) / step) * step).toFixed(4)));
    onChange();
  });
  const row = make('div', { class: 'slide' }, input, shown);
  return {
    element: make('div', { class: 'field' }, make('label', { for: id }, title), row),
    read: () => value,
    show,
  };
}
