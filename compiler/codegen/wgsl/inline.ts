// Functions of one expression that are spelled once and written out where kernels and fragments call them. A kernel or
// fragment that calls one declares a stand-in behind a comment `// inline: …`, so that its file compiles as it stands; the
// linker drops the declaration. Hooks of one expression can be written out, too, so that a kernel in which nothing fills them is
// as if they were not there.

import { InternalError, invariant } from '../../diagnostics.ts';

/** A function behind a comment: its head up to the brace, its body, and the blank line behind it. */
const FUNCTION = '(fn (\\w+)\\((.*)\\) -> \\w+) \\{\\n([\\s\\S]*?)^\\}\\n\\n?';
const DECLARED = new RegExp(`^// inline: .*\\n${FUNCTION}`, 'gm');
const HOOK = new RegExp(`^// hook, written out: .*\\n${FUNCTION}`, 'gm');

export interface InlineFunction {
  /** `fn name(a: u32) -> u32`, which every stand-in repeats. */
  readonly signature: string;
  readonly parameters: readonly string[];
  /** What the function returns. */
  readonly expression: string;
}

/** The functions that a text declares behind a comment `// inline:`, by name. */
export function inlineFunctions(wgsl: string): ReadonlyMap<string, InlineFunction> {
  return new Map(
    [...wgsl.matchAll(DECLARED)].map(([, signature, name, parameters, body]) => {
      return [name!, inlineFunction(name!, signature!, parameters!, body!.trim())];
    }),
  );
}

function inlineFunction(name: string, signature: string, parameters: string, body: string): InlineFunction {
  const expression = /^return (.*);$/.exec(body)?.[1];
  invariant(expression !== undefined, `${name} is no function of one expression`);
  return { signature, parameters: parameters.match(/\w+(?=:)/g) ?? [], expression };
}

/** The names of the hooks of a kernel that are written out where they are called. */
export function writtenOutHooks(wgsl: string): readonly string[] {
  return [...wgsl.matchAll(HOOK)].map(([, , name]) => name!);
}

/**
 * A kernel without its hooks behind a comment `// hook, written out: …`, with their calls written out: as `lines` fill them, one
 * `return`, else as they stand. So a kernel that reads float32 has no trace of them.
 */
export function writeOutHooks(wgsl: string, lines: (name: string) => readonly string[] | null): string {
  const hooks = new Map<string, InlineFunction>();
  const text = wgsl.replace(HOOK, (_, signature: string, name: string, parameters: string, body: string) => {
    const filled = lines(name)?.join('\n') ?? body.trim();
    hooks.set(name, inlineFunction(name, signature, parameters, filled));
    return '';
  });
  return [...hooks].reduce((current, [name, hook]) => writeOutCalls(current, name, hook), text);
}

/** A text without its stand-ins, with their calls written out. Throws InternalError for a stand-in of no function. */
export function writeOutInline(wgsl: string, functions: ReadonlyMap<string, InlineFunction>): string {
  const names: string[] = [];
  const text = wgsl.replace(DECLARED, (_, signature: string, name: string) => {
    invariant(functions.get(name)?.signature === signature, `there is no inline function ${signature}`);
    names.push(name);
    return '';
  });
  return names.reduce((current, name) => writeOutCalls(current, name, functions.get(name)!), text);
}

function writeOutCalls(text: string, name: string, called: InlineFunction): string {
  const call = new RegExp(`\\b${name}\\(`).exec(text);
  if (!call) return text;
  const { values, end } = argumentsAt(text, call.index + call[0].length);
  return text.slice(0, call.index) + written(called, values) + writeOutCalls(text.slice(end), name, called);
}

/** The expression with arguments for parameters. What has an operator in it is a factor only in parentheses. */
function written({ signature, parameters, expression }: InlineFunction, values: readonly string[]): string {
  invariant(values.length === parameters.length, `${signature} is called with (${values.join(', ')})`);
  const isFactor = (name: string) => new RegExp(`\\* ${name}\\b|\\b${name} \\*`).test(expression);
  return expression.replaceAll(/\b[a-z]\w*\b/g, (name) => {
    const value = values[parameters.indexOf(name)];
    if (value === undefined) return name;
    return value.includes(' ') && isFactor(name) ? `(${value})` : value;
  });
}

/** The arguments of a call whose parenthesis opens before `start`, and where the text goes on behind it. */
function argumentsAt(
  text: string,
  start: number,
): { readonly values: readonly string[]; readonly end: number } {
  const values: string[] = [];
  let depth = 0;
  let from = start;
  for (let at = start; at < text.length; at++) {
    const c = text[at];
    if (depth === 0 && (c === ',' || c === ')')) {
      values.push(text.slice(from, at).trim());
      from = at + 1;
      if (c === ')') return { values, end: at + 1 };
    }
    if (c === '(' || c === '[') depth++;
    if (c === ')' || c === ']') depth--;
  }
  throw new InternalError(`a call that does not end: ${text.slice(start, start + 40)}`);
}
