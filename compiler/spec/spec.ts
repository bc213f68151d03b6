// Reads the text of a graph file into a Spec: what the author wrote, checked field by field, defaults filled in.

import type { z } from 'zod';
import type { Diagnostic, Position } from '../diagnostics.ts';
import { FAMILY_KEYS, type FamilyFiles, type FamilyKey, familyOf } from '../families/index.ts';
import { diffusion, FORMAT_VERSION } from '../format/common.ts';
import { explainIssues } from '../format/faults.ts';
import { type Json, type JsonText, type Places, readJson } from '../format/json.ts';
import { type ExplicitFile, explicitFile } from './explicit.ts';
import { repair } from './repair.ts';

/** A graph file with the keywords of a family. */
export type KeywordSpec = { [K in FamilyKey]: { readonly form: K } & FamilyFiles[K] }[FamilyKey];

/** A graph file with every block written out. */
export type ExplicitSpec = { readonly form: 'blocks' } & Readonly<ExplicitFile>;

/** A graph file, in the form it was written in: the key of a family, or `blocks`. */
export type Spec = KeywordSpec | ExplicitSpec;
type Form = Spec['form'];

/** A text read as a Spec. */
export interface SpecText {
  /** The spec; with `faults` one whose faulty fields were guessed; null where too little was readable. */
  readonly spec: Spec | null;
  readonly faults: readonly Diagnostic[];
  /** Names of the fields in `spec` that were guessed: findings that rest on them say nothing. */
  readonly guessed: ReadonlySet<string>;
  /** Position of a diagnostic's place in the text. */
  locate(diagnostic: Diagnostic): Position | undefined;
}

const FORMS: readonly Form[] = [...FAMILY_KEYS, 'blocks'];

/** The forms in words: `"unet" (compact form) or "blocks" (explicit form)`. */
const FORM_WORDS = `${FAMILY_KEYS.map((key) => JSON.stringify(key)).join(', ')} (compact form) or "blocks" (explicit form)`;

/** Keys of the sections of a form, with the section that each belongs in. */
function homesOf(form: Form): ReadonlyMap<string, string> {
  const keywords = form === 'blocks' ? [] : Object.keys(familyOf(form).keywords);
  return new Map([
    ...keywords.map((key) => [key, form] as const),
    ...Object.keys(diffusion.shape).map((key) => [key, 'diffusion'] as const),
    ['low_res_size', 'super_resolution'] as const,
  ]);
}

/**
 * Reads a graph file of either form: a JSON text, or what another notation says as JSON. Never throws; all faults of
 * JSON and of fields are in the result.
 */
export function readSpec(text: string | JsonText): SpecText {
  const json = typeof text === 'string' ? readJson(text) : text;
  const read =
    json.value === undefined
      ? { spec: null, faults: [], guessed: new Set<string>() }
      : checkFields(json.value);
  const seen = new Set(json.faults.map((f) => f.pointer));
  return {
    spec: read.spec,
    faults: [...json.faults, ...read.faults.filter((f) => !seen.has(f.pointer))],
    guessed: read.guessed,
    locate: (d) => d.position ?? nearestPosition(d, json.values, json.keys),
  };
}

/** Checks a JSON value that was made by a program, as `readSpec` checks a text. */
export function checkFields(value: Json): Omit<SpecText, 'locate'> {
  const none = new Set<string>();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      spec: null,
      faults: [fault('G009', '', 'expected an object with "version", "image_size" and "unet"')],
      guessed: none,
    };
  }
  const file = value as Readonly<Record<string, Json>>;
  const version = file.version;
  if (typeof version === 'number' && version !== FORMAT_VERSION) {
    const message = `found version ${version}, but this build reads version ${FORMAT_VERSION} alone`;
    return { spec: null, faults: [fault('G010', '/version', message)], guessed: none };
  }
  const [form, second] = FORMS.filter((key) => Object.hasOwn(file, key));
  if (second) {
    const message = `a graph has ${FORM_WORDS}, not both; remove one`;
    return { spec: null, faults: [fault('G010', `/${second}`, message)], guessed: none };
  }
  if (form) return parse(form, file);
  const [first] = FORMS as [Form];
  const result = parse(first, file);
  const message = `a graph needs ${FORM_WORDS}`;
  const others = result.faults.filter((f) => f.pointer !== `/${first}`);
  return { ...result, faults: [fault('G010', '', message), ...others] };
}

function parse(form: Form, file: Readonly<Record<string, Json>>): Omit<SpecText, 'locate'> {
  const first = attempt(form, file);
  if (first.spec) return { spec: first.spec, faults: [], guessed: new Set() };
  const faults = explainIssues(first.issues, file, homesOf(form));
  const repaired = repair(file, first.issues);
  return {
    spec: repaired && attempt(form, repaired.file).spec,
    faults,
    guessed: repaired?.guessed ?? new Set(),
  };
}

function attempt(form: Form, file: Json): { spec: Spec | null; issues: readonly z.core.$ZodIssue[] } {
  const schema: z.ZodType<object> = form === 'blocks' ? explicitFile : familyOf(form).file;
  const result = schema.safeParse(file);
  return result.success
    ? { spec: { form, ...result.data } as Spec, issues: [] }
    : { spec: null, issues: result.error.issues };
}

function fault(code: string, pointer: string, message: string): Diagnostic {
  return { severity: 'error', code, pointer, message };
}

/** The place of the pointer itself, or of the nearest value around it. An unknown key is found at its key. */
function nearestPosition(diagnostic: Diagnostic, values: Places, keys: Places): Position | undefined {
  if (diagnostic.code === 'G008') return keys.get(diagnostic.pointer);
  for (let pointer = diagnostic.pointer; ; pointer = pointer.slice(0, pointer.lastIndexOf('/'))) {
    const position = values.get(pointer);
    if (position || pointer === '') return position;
  }
}
