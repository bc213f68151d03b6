// Fragments: code of a group that is more than a line an op, in a `.wgsl` file of its own that compiles as it stands. Above
// the line `// linked:` a fragment declares what the kernel has that takes it; below stand functions behind a comment
// `// fills: …`, which become the bodies of the kernel's hooks of their names, and what is added to the kernel.

import { invariant } from '../../diagnostics.ts';

/** What a fragment adds to a kernel. */
export interface FragmentText {
  readonly hooks: Readonly<Record<string, readonly string[]>>;
  readonly functions: readonly string[];
}

/** A function that fills a hook: its head, and its body. */
const FILLS = /^\/\/ fills: .*\n(fn (\w+)\(.*\{)\n([\s\S]*?)^\}\n\n?/gm;

/** A constant above the line: `const THREADS = 64u;`, `const EPSILON = 0.00001;`. */
const constantOf = (name: string) => new RegExp(`^const ${name} = [\\d.]+(u?);`, 'm');

/**
 * Takes the code out of a fragment's file. `consts` are values of its constants, which are written out where they are
 * used; those that are left out are the kernel's. Throws InternalError for a constant that the fragment does not have.
 */
export function takeFragment(wgsl: string, consts: Readonly<Record<string, number>>): FragmentText {
  const [given, linked, ...more] = wgsl.split(/^\/\/ linked:\n/m);
  invariant(
    given !== undefined && linked !== undefined && more.length === 0,
    'a fragment without one `// linked:`',
  );
  const text = Object.entries(consts).reduce((current, [name, value]) => {
    const suffix = constantOf(name).exec(given)?.[1];
    invariant(suffix !== undefined, `the fragment has no constant ${name}`);
    return current.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), `${value}${suffix}`);
  }, linked);
  const hooks = [...text.matchAll(FILLS)].map(([, , name, body]) => [name!, unindented(body!)] as const);
  const rest = text.replace(FILLS, '').trim();
  return { hooks: Object.fromEntries(hooks), functions: rest === '' ? [] : rest.split('\n') };
}

/** The heads of the functions that fill hooks. */
export function filledHooks(wgsl: string): readonly string[] {
  return [...wgsl.matchAll(FILLS)].map(([, head]) => head!);
}

function unindented(body: string): readonly string[] {
  return body
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^ {2}/, ''));
}
