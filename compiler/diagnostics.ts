// What the compiler says about a graph: faults and warnings, each at its place, all of a file at once.

/** A place in a text file; both count from 1, columns in UTF-16 code units as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One finding. `pointer` is a JSON pointer (RFC 6901) into the file, '' for the whole document. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable code such as `G012`; the table of codes is `spec/rules.ts`. */
  readonly code: string;
  readonly pointer: string;
  /** What was found, what was expected and what to do, without the place. */
  readonly message: string;
  /** Where the pointer's value (or an unknown key) begins, when the graph came from a text. */
  readonly position?: Position;
}

/** A key of a pointer that hides what is said of it; the position still leads there. */
const LONG_KEY = /([^/]{100})[^/]+/gu;

/** Prints a finding as one line: `error[G012] graph.json:/unet/num_heads: … (line 9, column 18)`. */
export function formatDiagnostic(d: Diagnostic, file: string): string {
  const place = d.pointer === '' ? file : `${file}:${d.pointer.replace(LONG_KEY, '$1…')}`;
  const position = d.position ? ` (line ${d.position.line}, column ${d.position.column})` : '';
  return escapeControls(`${d.severity}[${d.code}] ${place}: ${d.message}${position}`);
}

/** Findings that are told of one text: who mends these sees the others next. */
export const MOST_TOLD = 20;

/** Prints findings, a line each, the first of them and how many more there are. */
export function formatDiagnostics(found: readonly Diagnostic[], file: string): string {
  const lines = found.slice(0, MOST_TOLD).map((d) => formatDiagnostic(d, file));
  return [...lines, ...(found.length > MOST_TOLD ? [`and ${found.length - MOST_TOLD} more`] : [])].join('\n');
}

/** Text from a file must neither break the line nor steer a terminal. */
function escapeControls(text: string): string {
  return text.replace(/\p{C}/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

/** What messages call a graph, and where its text has the value of a JSON pointer. */
export interface GraphPlace {
  readonly label: string;
  locate?(pointer: string): Position | undefined;
}

/** A graph that cannot be compiled, with every fault that was found. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  constructor(
    readonly diagnostics: readonly Diagnostic[],
    readonly file: string,
  ) {
    super(formatDiagnostics(diagnostics, file));
  }
}

/** A broken invariant of the compiler itself; no input may reach it. */
export class InternalError extends Error {
  override readonly name = 'InternalError';
  constructor(message: string) {
    super(`internal: ${message}`);
  }
}

/** Throws an InternalError unless `condition` holds; where that is asked often, the message is made only if it fails. */
export function invariant(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new InternalError(typeof message === 'string' ? message : message());
}

/** The last element of a list that has one. */
export function last<T>(items: readonly T[]): T {
  const item = items.at(-1);
  invariant(item !== undefined, 'last of an empty list');
  return item;
}
