// Writes loops out, for drivers that do not: what lies in an array is in registers only where every place of it is known
// when the kernel is compiled, and matrices are opaque, so that a driver that keeps such an array in memory is slow. In a
// kernel's file these are loops and arrays that end in `// written out`, and compile as they stand:
//
//   var sums = array<Sums, ROWS>(); // written out        var sums_0 = Sums(); …
//   for (var i = 0u; i < ROWS; i++) { // written out      the body once for each i, with sums[i] as sums_0, …

import { invariant } from '../../diagnostics.ts';
import { constantsOf, integerOf } from './constants.ts';

const MARK = ' // written out';
const ARRAY = /^( *)var (\w+) = array<(\w+), ([^>]+)>\(\); \/\/ written out$/;
const LOOP = /^( *)for \(var (\w+) = 0u; \2 < ([^;]+); \2\+\+\) \{ \/\/ written out$/;

/** The kernel with everything written out that is marked. Throws InternalError for a mark behind anything else. */
export function writeOut(wgsl: string): string {
  if (!wgsl.includes(MARK)) return wgsl;
  const constants = constantsOf(wgsl);
  const arrays = new Set([...wgsl.matchAll(new RegExp(ARRAY, 'gm'))].map(([, , name]) => name!));
  return expand(wgsl.split('\n'), constants, arrays).join('\n');
}

function expand(
  lines: readonly string[],
  constants: ReadonlyMap<string, string>,
  arrays: ReadonlySet<string>,
): readonly string[] {
  const out: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (!line.endsWith(MARK)) {
      out.push(named(line, constants, arrays));
      continue;
    }
    const [, indent, name, type, length] = ARRAY.exec(line) ?? [];
    if (length !== undefined) {
      for (let i = 0; i < integerOf(length, constants); i++)
        out.push(`${indent}var ${name}_${i} = ${type}();`);
      continue;
    }
    const [, before, index, count] = LOOP.exec(line) ?? [];
    invariant(count !== undefined, () => `nothing that is written out: ${line}`);
    const end = lines.indexOf(`${before}}`, at);
    const body = lines.slice(at + 1, end);
    const scoped = body.some((inner) => /^ *let /.test(inner) && inner.startsWith(`${before}  let `));
    for (let i = 0; i < integerOf(count, constants); i++) {
      const once = body.map((inner) => inner.replace(new RegExp(`\\b${index}\\b`, 'g'), `${i}u`));
      const written = expand(once, constants, arrays);
      out.push(
        ...(scoped ? [`${before}{`, ...written, `${before}}`] : written.map((l) => l.replace('  ', ''))),
      );
    }
    at = end;
  }
  return out;
}

/** `sums[2u * 3u]` as `sums_6`, of arrays that are written out. */
function named(line: string, constants: ReadonlyMap<string, string>, arrays: ReadonlySet<string>): string {
  return line.replace(/\b(\w+)\[([^[\]]+)\]/g, (all, name: string, place: string) =>
    arrays.has(name) ? `${name}_${integerOf(place, constants)}` : all,
  );
}
