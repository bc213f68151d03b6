// The field for labels: a chip for each class where there are few, a list of numbers with a search by name where there are
// many.

import { RuntimeError } from '../../runtime/errors.ts';
import { rangesOf, readNumbers } from '../../runtime/number-list.ts';
import { classesOf, className } from '../job.ts';
import type { PageModel } from '../page-model.ts';
import { button, make } from './elements.ts';

export interface LabelField {
  readonly element: HTMLElement;
  read(): readonly number[];
  show(labels: readonly number[]): void;
}

/** Classes that still have a chip each. */
const MOST_CHIPS = 40;

/** The field for a model's labels, or null where it takes none. `onChange` is called when the reader changes them. */
export function labelField(model: PageModel, onChange: () => void): LabelField | null {
  const classes = classesOf(model.denoiser);
  if (classes === null) return null;
  return classes <= MOST_CHIPS ? chips(model, classes, onChange) : list(model, classes, onChange);
}

function chips(model: PageModel, classes: number, onChange: () => void): LabelField {
  const names = Array.from({ length: classes }, (_, label) => className(model, label));
  const boxes = names.map((_, label) => make('input', { type: 'checkbox', name: 'label', value: label }));
  const longest = Math.max(...names.map((name) => name.length));
  const check = (wanted: (label: number) => boolean) => {
    for (const [label, box] of boxes.entries()) box.checked = wanted(label);
  };
  const all = button('all', { class: 'quiet', 'aria-label': 'Choose all labels' }, () => {
    check(() => true);
    onChange();
  });
  const none = button('none', { class: 'quiet', 'aria-label': 'Choose no label' }, () => {
    check(() => false);
    onChange();
  });
  const row = make('div', { class: 'chips' });
  row.style.setProperty('--chip', `${Math.max(3, longest * 0.6 + 1)}rem`);
  row.append(...boxes.map((box, label) => make('label', {}, box, names[label]!)));
  row.addEventListener('change', onChange);
  const legend = make('legend', { class: 'head' }, make('span', {}, 'Labels'), make('span', {}, all, none));
  // a list that a link named may repeat labels and have them in any order; it stays until a chip is changed
  let linked: readonly number[] | null = null;
  row.addEventListener('change', () => {
    linked = null;
  });
  for (const one of [all, none]) {
    one.addEventListener('click', () => {
      linked = null;
    });
  }
  return {
    element: make('fieldset', { class: 'field' }, legend, row),
    read: () => linked ?? boxes.flatMap((box, label) => (box.checked ? [label] : [])),
    show(labels) {
      linked = labels;
      const chosen = new Set(labels);
      check((label) => chosen.has(label));
    },
  };
}

function list(model: PageModel, classes: number, onChange: () => void): LabelField {
  const input = make('input', {
    type: 'text',
    id: 'labels',
    autocomplete: 'off',
    'aria-describedby': 'labels-hint',
  });
  input.addEventListener('input', onChange);
  const hint = make('p', { class: 'hint', id: 'labels-hint' });
  const tell = () => {
    const found = readNumbers(input.value);
    const labels = 'numbers' in found ? found.numbers.filter((label) => label < classes) : [];
    const named =
      model.names === null
        ? ''
        : labels
            .slice(0, 4)
            .map((label) => className(model, label))
            .join(', ');
    const range = `0 to ${classes - 1}, such as 3 or 0-9; given in turn to the pictures`;
    hint.textContent = named === '' ? range : `${named}${labels.length > 4 ? ', …' : ''}`;
  };
  input.addEventListener('input', tell);
  const element = make('div', { class: 'field' }, make('label', { for: 'labels' }, 'Labels'), input, hint);
  const { names } = model;
  if (names !== null)
    element.append(
      ...search(names, (label) => {
        input.value = input.value.trim() === '' ? String(label) : `${input.value}, ${label}`;
        tell();
        onChange();
      }),
    );
  return {
    element,
    read() {
      const found = readNumbers(input.value);
      if ('fault' in found) throw new RuntimeError('input', `labels: ${found.fault}`);
      return found.numbers;
    },
    show(labels) {
      input.value = rangesOf(labels);
      tell();
    },
  };
}

/** A field that finds a class by its name, and adds it to the list. */
function search(names: readonly string[], add: (label: number) => void): readonly HTMLElement[] {
  const options = names.map((name, label) => make('option', { value: `${name} (${label})` }));
  const input = make('input', {
    ...{ type: 'search', list: 'names', placeholder: 'add by name', autocomplete: 'off' },
    'aria-label': 'Add a label by its name',
  });
  input.style.marginTop = '0.5rem';
  input.addEventListener('input', () => {
    const [, label] = / \((\d+)\)$/.exec(input.value) ?? [];
    if (label === undefined) return;
    add(Number(label));
    input.value = '';
  });
  return [input, make('datalist', { id: 'names' }, ...options)];
}
