// Where in the new graph's file a finding was decided: the JSON pointer that a reviewer should look at.

import type { ShapeTopic } from '../families/family.ts';
import { FAMILY_KEYS, familyOf } from '../families/index.ts';
import { childPointer } from '../format/json.ts';
import type { Spec } from '../spec/spec.ts';
import type { DiffSide } from './side.ts';

/** Keywords of a family, or keys beside them, that could have decided something, the likeliest first. */
export type Keys = readonly string[];

/** The keywords that a change of the model's shapes is decided by; of the explicit form those of the first family. */
export function shapeKeys({ b }: { readonly b: DiffSide }, ...topics: readonly ShapeTopic[]): Keys {
  const [first] = FAMILY_KEYS;
  const form = b.spec === null || b.spec.form === 'blocks' ? first! : b.spec.form;
  return [...new Set(topics.flatMap((topic) => familyOf(form).shapes[topic]))];
}

/** Whether a key is a keyword of a family: of `form` alone where it is one. */
function isKeyword(form: Spec['form'], key: string): boolean {
  const forms = form === 'blocks' ? FAMILY_KEYS : [form];
  return forms.some((family) => Object.hasOwn(familyOf(family).keywords, key));
}

/**
 * The pointer for a finding about a layer or about the model. Of `keys` the first that differs between
 * both files is meant. In the explicit form it is the layer at `path`, and in it `field`.
 */
export function pointerTo(
  sides: { readonly a: DiffSide; readonly b: DiffSide },
  keys: Keys,
  path: string | null = null,
  field: string | null = null,
): string {
  const { spec } = sides.b;
  if (!spec) return '';
  if (spec.form === 'blocks' && path !== null) return layerPointer(path, field);
  const other = sides.a.spec;
  const changed = keys.find((key) => other && written(spec, key) !== written(other, key));
  const key = changed ?? keys[0];
  return key === undefined ? '' : keyPointer(spec, key);
}

/** The pointer for an option of the module at `path`: its keyword, or in the explicit form the key itself. */
export function optionPointer(
  sides: { readonly a: DiffSide; readonly b: DiffSide },
  path: string,
  field: string,
): string {
  const { spec } = sides.b;
  const keys = spec && spec.form !== 'blocks' ? (familyOf(spec.form).decides[field] ?? []) : [];
  return pointerTo(sides, keys, path, field);
}

/** `input_blocks.3.0` as `/blocks/input/3/layers/0`, and the field in it. */
function layerPointer(path: string, field: string | null): string {
  const [block = '', ...rest] = path.split('.');
  if (block === 'time_embed') return childOf('/time_embed', field);
  if (block === 'label_emb') return '/num_classes';
  if (block === 'out') return field === null ? '/out_channels' : childOf('/head', field);
  const role = block.replace('_blocks', '').replace('_block', '');
  const at = role === 'middle' ? '/blocks/middle' : `/blocks/${role}/${rest.shift()}`;
  const [layer] = rest;
  if (layer === undefined) return at;
  return childOf(`${at}/layers/${layer}`, field);
}

function childOf(pointer: string, field: string | null): string {
  return field === null ? pointer : childPointer(pointer, field);
}

/** Where a key stands in a file of this form. */
function keyPointer(spec: Spec, key: string): string {
  const [first = ''] = key.split('.');
  const keyword = isKeyword(spec.form, first);
  if (spec.form === 'blocks' && keyword && !Object.hasOwn(spec, first)) return '/blocks';
  const section = spec.form !== 'blocks' && keyword ? `/${spec.form}` : '';
  // decided by a keyword of the other side's family
  if (section === '' && spec.form !== 'blocks' && isKeyword('blocks', first)) return `/${spec.form}`;
  return `${section}/${key.replaceAll('.', '/')}`;
}

/** The value of a dotted key as text. */
function written(spec: Spec, key: string): string {
  const parts = key.split('.');
  const section = spec.form !== 'blocks' && isKeyword(spec.form, parts[0]!) ? spec.form : null;
  const start: unknown = section === null ? spec : (spec as Readonly<Record<string, unknown>>)[section];
  const value = parts.reduce<unknown>(
    (owner, part) =>
      typeof owner === 'object' && owner ? (owner as Record<string, unknown>)[part] : undefined,
    start,
  );
  return JSON.stringify(value) ?? '';
}
