// Specialises a kernel: fills its constants, hooks and types of buffers, and adds the buffers that hooks read. A hook is
// a function behind a comment that begins with `hook:`, or with `hook, written out:` where its calls are written out; a constant
// is a `const NAME = 64u;` at the top level. Loops that are marked so are written out (`write-out.ts`).

import { invariant } from '../../diagnostics.ts';
import { writeOutHooks, writtenOutHooks } from './inline.ts';
import { type HalfType, PACKING } from './packing.ts';
import { declaredBindings } from './source.ts';
import { writeOut } from './write-out.ts';

/** A buffer that a hook reads or writes beside those that the kernel declares. */
export interface ExtraBinding {
  readonly name: string;
  readonly type: 'array<f32>' | 'array<vec4f>' | 'array<u32>' | HalfType | 'texture';
  readonly access: 'read' | 'read_write';
}

/** The body of a hook without the braces, a line an op. */
export type HookBody = readonly string[] | LongBody;

/** A body that is only written where a kernel is linked. */
export interface LongBody {
  /** Bodies of one name have the same lines. */
  readonly name: string;
  lines(): readonly string[];
}

/** What fills the holes of a kernel. */
export interface Filling {
  readonly consts: Readonly<Record<string, number>>;
  readonly hooks: Readonly<Record<string, HookBody>>;
  readonly bindings: readonly ExtraBinding[];
  /** Types of declared buffers that are not as the kernel has them, by name; a declared texture with one is a buffer. */
  readonly types: Readonly<Record<string, HalfType | 'array<vec4f>'>>;
  /** Functions that the hooks call, a line each. */
  readonly functions: readonly string[];
  /** Types that the kernel has another name for, by that name: `alias Component = f16;`. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Lanes that its subgroups must have; null where the adapter has no other. */
  readonly lanes: number | null;
}

/** The specialised kernel. Throws InternalError for a constant or hook that the kernel does not have. */
export function linkKernel(source: string, filling: Filling): string {
  const linesOf = (body: HookBody) => ('lines' in body ? body.lines() : body);
  const writtenOut = writtenOutHooks(source);
  let wgsl = writeOutHooks(source, (name) => {
    const body = filling.hooks[name];
    return body === undefined ? null : linesOf(body);
  });
  for (const [name, value] of Object.entries(filling.consts)) {
    const pattern = new RegExp(`^const ${name} = \\d+u;`, 'm');
    invariant(pattern.test(wgsl), `the kernel has no constant ${name}`);
    wgsl = wgsl.replace(pattern, `const ${name} = ${value}u;`);
  }
  for (const [name, body] of Object.entries(filling.hooks)) {
    if (writtenOut.includes(name)) continue;
    const pattern = new RegExp(`^(// hook: .*\\nfn ${name}\\([^{]*\\{\\n)[^]*?(^\\}\\n)`, 'm');
    invariant(pattern.test(wgsl), `the kernel has no hook ${name}`);
    wgsl = wgsl.replace(
      pattern,
      (_, head: string, tail: string) =>
        head +
        linesOf(body)
          .map((line) => `  ${line}\n`)
          .join('') +
        tail,
    );
  }
  for (const [name, type] of Object.entries(filling.types)) {
    const buffer = new RegExp(`(var<storage, \\w+> ${name}: )array<(?:vec4f|vec2u|f32)>;`);
    const texture = new RegExp(`var ${name}: texture_storage_2d<rgba32float, read>;`);
    invariant(buffer.test(wgsl) || texture.test(wgsl), `the kernel has no buffer or texture ${name}`);
    wgsl = wgsl.replace(buffer, `$1${type};`).replace(texture, `var<storage, read> ${name}: ${type};`);
  }
  for (const [name, type] of Object.entries(filling.aliases)) {
    const pattern = new RegExp(`^alias ${name} = \\w+;`, 'm');
    invariant(pattern.test(wgsl), `the kernel has no alias ${name}`);
    wgsl = wgsl.replace(pattern, `alias ${name} = ${type};`);
  }
  if (filling.lanes !== null) wgsl = pinned(wgsl, filling.lanes);
  wgsl = writeOut(wgsl);
  const first = declaredBindings(wgsl).length + 1;
  const declared = filling.bindings.map(
    (binding, i) => `@group(0) @binding(${first + i}) ${declare(binding)}\n`,
  );
  const lastBinding = wgsl.lastIndexOf('@group(0)');
  const at = wgsl.indexOf('\n', lastBinding) + 1;
  const own = filling.functions.length === 0 ? '' : `\n${filling.functions.join('\n')}\n`;
  const text = `${wgsl}${own}`;
  const used = Object.entries(PACKING).filter(
    ([name]) => text.includes(`${name}(`) && !text.includes(`fn ${name}(`),
  );
  const packing = used.map(([, code]) => `\n${code}\n`).join('');
  const linked = wgsl.slice(0, at) + declared.join('') + packing + own + wgsl.slice(at);
  return /\bvec4h\b/.test(linked) && !linked.includes('enable f16;') ? `enable f16;\n\n${linked}` : linked;
}

/** The kernel with subgroups of so many lanes, on adapters that have several sizes. */
function pinned(wgsl: string, lanes: number): string {
  const [enable, entry] = ['enable subgroups;\n', '@compute @workgroup_size('];
  invariant(wgsl.includes(enable) && wgsl.includes(entry), 'the kernel has no subgroups');
  return wgsl
    .replace(enable, `${enable}enable subgroup_size_control;\n`)
    .replace(entry, `@compute @subgroup_size(${lanes}) @workgroup_size(`);
}

function declare({ name, type, access }: ExtraBinding): string {
  if (type !== 'texture') return `var<storage, ${access}> ${name}: ${type};`;
  invariant(access === 'read', () => `the texture ${name} is written: what is written is a buffer`);
  return `var ${name}: texture_storage_2d<rgba32float, read>;`;
}
