// What a part of a group adds to its kernel: bodies of hooks, functions, buffers and sizes, from a line of an op or from a
// fragment's file.

import { type Resource, standingValue, valueIn } from '../schedule/resources.ts';
import type { Bound, CallRequest } from './kernel-call.ts';
import { takeFragment } from './wgsl/fragment.ts';
import type { Filling, HookBody } from './wgsl/link.ts';
import { type FragmentFile, readFragment } from './wgsl/source.ts';

/** A buffer or texture that hooks use, with what it holds. */
export type Extra = NonNullable<CallRequest['extra']>[number];

/** Code, buffers and sizes that a part of a group adds to its kernel. */
export interface Fragment {
  readonly hooks: Readonly<Record<string, HookBody>>;
  readonly functions: readonly string[];
  readonly extra: readonly Extra[];
  readonly sizes: Readonly<Record<string, number>>;
  /** Types of declared buffers that are not as the kernel has them. */
  readonly types?: Filling['types'];
}

/** All that several parts add. */
export function joinFragments(...parts: readonly Fragment[]): Fragment {
  return {
    hooks: Object.assign({}, ...parts.map((p) => p.hooks)),
    functions: parts.flatMap((p) => p.functions),
    extra: parts.flatMap((p) => p.extra),
    sizes: Object.assign({}, ...parts.map((p) => p.sizes)),
    types: Object.assign({}, ...parts.map((p) => p.types)),
  };
}

/** Fragments taken before: their files do not change while a program runs, and a bundle has hundreds of calls of a few. */
const taken = new Map<string, Fragment>();

/** The code of a fragment's file; `consts` are values of its constants. */
export function fragmentOf(file: FragmentFile, consts: Readonly<Record<string, number>> = {}): Fragment {
  const key = `${file} ${JSON.stringify(consts)}`;
  const known = taken.get(key);
  if (known) return known;
  const fragment = { ...joinFragments(), ...takeFragment(readFragment(file), consts) };
  taken.set(key, fragment);
  return fragment;
}

/** What holds a value of the graph channels-last. */
export function value(id: number): Resource {
  return valueIn(id);
}

/** What holds a value of the graph as it stands in a home. */
export const standing = standingValue;

/** A buffer, or a texture, that hooks read. */
export function readBuffer(name: string, resource: Bound, type: Extra['type'] = 'array<vec4f>'): Extra {
  return { name, type, access: 'read', resource };
}
