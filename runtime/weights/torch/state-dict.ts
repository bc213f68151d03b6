// Finds the dict of tensors in a checkpoint: the one that a key names, or else the top-level object or a dict inside it
// under a usual key. Where there are several, the message names them, the averaged ones first.

import { fault, type Origin } from '../../bytes.ts';
import { averagedFirst, isAveraged } from '../prefix.ts';
import { isHarmful } from './pickle-globals.ts';
import { isKind, type PickleTensor, type PickleValue, tensorOf } from './pickle-values.ts';

/** Where training code keeps a model's tensors. */
const USUAL_KEYS: readonly string[] = [
  'state_dict',
  'model_state_dict',
  'model',
  'ema',
  'ema_state_dict',
  'ema_model',
  'model_ema',
  'params_ema',
  'params',
  'net',
  'network',
  'unet',
  'weights',
  'module',
];

/** Dicts in dicts that are looked into. */
const MAX_DEPTH = 4;

export interface StateDict {
  readonly tensors: ReadonlyMap<string, PickleTensor>;
  /** The way to it through dicts, `state_dict.ema`; '' for the top. */
  readonly path: string;
  /** What of the key is left for the names of tensors: a prefix, or ''. */
  readonly prefix: string;
  /** What was chosen and left out, where that was not plain. */
  readonly notes: readonly string[];
}

interface Found {
  readonly path: string;
  readonly usual: boolean;
  readonly tensors: ReadonlyMap<string, PickleTensor>;
  /** What else is in it, in words. */
  readonly others: readonly string[];
}

/**
 * The tensors of a checkpoint by name, in its order. `key` is what stood behind the `#` of its file, or null. Throws where
 * there is no such dict, or more than one to choose from.
 */
export function findStateDict(
  value: PickleValue,
  origin: Origin,
  { key = null, file = origin.label }: { readonly key?: string | null; readonly file?: string } = {},
): StateDict {
  if (tensorOf(value)) throw fault(origin, `this is a single tensor without a name; ${ADVICE}`);
  if (!isKind(value, 'dict')) {
    const what = isKind(value, 'opaque')
      ? `this holds an object of ${quoted(value.name)}, and`
      : 'this holds';
    throw fault(origin, `${what} no dict of tensors; ${ADVICE}`);
  }
  const found = dictsIn(value);
  const top = found.find(({ path }) => path === '') ?? null;
  if (key !== null) {
    const named = resolve(value, key);
    const dict = found.find(({ path }) => path === named.path);
    if (dict && named.prefix === '') return { tensors: dict.tensors, ...named, notes: leftOut(dict.others) };
    const base = dict ?? theOne(found, top);
    if (base === null) {
      throw fault(origin, `there is no dict of tensors under this key; ${choice(found, file)}`);
    }
    return { tensors: base.tensors, path: base.path, prefix: base === dict ? named.prefix : key, notes: [] };
  }
  const usual = found.filter((dict) => dict.usual);
  const chosen = theOne(found, top);
  if (chosen === null && usual.length > 1)
    throw fault(origin, `this holds several dicts of tensors; ${choice(usual, file)}`);
  const keys = [...value.entries].map(([name, inner]) => described(name, inner));
  if (chosen === null) {
    throw fault(
      origin,
      `there is no dict of tensors at its top or under a usual key; its keys are ${listed(keys)}; ${choice(found, file)}`,
    );
  }
  const { tensors, path, others } = chosen;
  if (path === '') return { tensors, path, prefix: '', notes: leftOut(others) };
  const beside = [...value.entries]
    .filter(([name]) => !(name === path || (typeof name === 'string' && path.startsWith(`${name}.`))))
    .map(([name, inner]) => described(name, inner));
  const rest = beside.length === 0 ? '' : `; left out ${listed(beside)}`;
  const also = others.length === 0 ? '' : `; left out of it ${listed(others)}, which are no tensors`;
  return {
    tensors,
    path,
    prefix: '',
    notes: [`took the ${tensors.size} tensors under "${path}"${rest}${also}`],
  };
}

/** What is taken where nothing was said: the one usual dict, or the top where there is none. */
function theOne(found: readonly Found[], top: Found | null): Found | null {
  const usual = found.filter((dict) => dict.usual);
  return usual.length > 1 ? null : (usual[0] ?? top);
}

const ADVICE = "save the tensors alone: torch.save(model.state_dict(), 'weights.pt')";

/** What can be named instead. */
function choice(found: readonly Found[], file: string): string {
  const named = found.filter(({ path }) => path !== '');
  if (named.length === 0) return ADVICE;
  const sorted = averagedFirst(named, ({ path }) => path);
  const words = sorted.map(({ path, tensors }) => `${file}#${path} (${tensors.size} tensors)`);
  return `name one: ${listed(words)}`;
}

/** Every dict with a tensor in it that text leads to, outermost first; each once, whatever refers to it. */
function dictsIn(top: PickleValue): Found[] {
  const found: Found[] = [];
  const seen = new Set<PickleValue>();
  let level: { readonly path: string; readonly usual: boolean; readonly value: PickleValue }[] = [
    { path: '', usual: false, value: top },
  ];
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { path, usual, value } of level) {
      if (!isKind(value, 'dict') || seen.has(value)) continue;
      seen.add(value);
      const tensors = new Map<string, PickleTensor>();
      const others: string[] = [];
      for (const [key, inner] of value.entries) {
        const tensor = tensorOf(inner);
        if (typeof key === 'string' && tensor) tensors.set(key, tensor);
        else others.push(described(key, inner));
        if (typeof key !== 'string' || !isKind(inner, 'dict')) continue;
        const here = USUAL_KEYS.includes(key) || isAveraged(key);
        next.push({
          path: path === '' ? key : `${path}.${key}`,
          usual: here && (path === '' || usual),
          value: inner,
        });
      }
      if (tensors.size > 0) found.push({ path, usual, tensors, others });
    }
    level = next;
  }
  return found;
}

/**
 * Goes into dicts by names that `key` begins with, the longest first. A way that uses the whole key is taken before one
 * that leaves a part of it, which is then a prefix.
 */
function resolve(top: PickleValue, key: string): { readonly path: string; readonly prefix: string } {
  if (leads(top, key)) return { path: key, prefix: '' };
  const [name] = namesOf(top, key);
  if (name === undefined) return { path: '', prefix: key };
  const { path, prefix } = resolve(within(top, name), key.slice(name.length + 1));
  return { path: path === '' ? name : `${name}.${path}`, prefix };
}

/** Whether names of dicts in dicts make the whole of `key`. */
function leads(value: PickleValue, key: string): boolean {
  return namesOf(value, key).some(
    (name) => name === key || leads(within(value, name), key.slice(name.length + 1)),
  );
}

/** Names of the dicts in a dict that `key` begins with, the longest first. */
function namesOf(value: PickleValue, key: string): readonly string[] {
  if (!isKind(value, 'dict') || key === '') return [];
  return [...value.entries]
    .filter(([, inner]) => isKind(inner, 'dict'))
    .map(([name]) => name)
    .filter((name) => typeof name === 'string')
    .filter((name) => key === name || key.startsWith(`${name}.`))
    .toSorted((a, b) => b.length - a.length);
}

function within(value: PickleValue, name: string): PickleValue {
  return isKind(value, 'dict') ? (value.entries.get(name) ?? null) : null;
}

function leftOut(others: readonly string[]): readonly string[] {
  return others.length === 0 ? [] : [`left out ${listed(others)}, which are no tensors`];
}

/** A key, and where a placeholder stands for its value, of what. */
function described(key: PickleValue, value: PickleValue): string {
  const name = JSON.stringify(typeof key === 'object' ? '…' : String(key));
  return isKind(value, 'opaque') ? `${name} (${quoted(value.name)})` : name;
}

/** A note on the placeholders of a checkpoint, by the names that they stand for. */
export function placeholderNotes(names: ReadonlySet<string>): readonly string[] {
  const harmful = [...names].filter(isHarmful);
  const plain = [...names].filter((name) => !isHarmful(name));
  return [
    ...(plain.length === 0
      ? []
      : [`placeholders stand for ${listed(plain.map(quoted))}, which make no tensors: nothing was imported`]),
    ...(harmful.length === 0
      ? []
      : [
          `it asks to call ${listed(harmful.map(quoted))}, which no checkpoint needs: nothing was called here, but do not ` +
            'unpickle this file elsewhere',
        ]),
  ];
}

/** A name of Python's as it is, or in quotes where it is none. */
function quoted(name: string): string {
  return /^[\w.]+$/.test(name) ? name : JSON.stringify(name.slice(0, 200));
}

function listed(keys: readonly string[]): string {
  const shown = keys.slice(0, 8).join(', ');
  return keys.length > 8 ? `${shown} and ${keys.length - 8} more` : shown || 'none';
}
