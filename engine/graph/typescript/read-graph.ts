// Reads a graph written in TypeScript, `export default defineUNet({ … })`, as the JSON that it says. The file is
// parsed and never executed, so that a stranger's can be read.

import { createRequire } from 'node:module';
import type { Expression, SourceFile } from 'ts-morph';
import type { Diagnostic, Position } from '../../../compiler/diagnostics.ts';
import type { JsonText } from '../../../compiler/format/json.ts';
import { positionOf, readConstant } from './constant.ts';

type TsMorph = typeof import('ts-morph');

const EXPECTED = "expected `export default defineUNet({ … })`, with defineUNet imported from 'unetc'";

/** Faults of a text that is no TypeScript: one leads to many. */
const LISTED = 5;

/** Whether a path is that of a graph in TypeScript. */
export function isTypeScript(path: string): boolean {
  return /\.[mc]?ts$/i.test(path);
}

/** The graph as JSON with its places in the file. Never throws; what is no constant is a fault at its line. */
export function readTypeScript(text: string): JsonText {
  // A quarter of a second that only such a file takes.
  const tsMorph = createRequire(import.meta.url)('ts-morph') as TsMorph;
  try {
    return readSource(tsMorph, text);
  } catch (error) {
    // The parser of TypeScript descends as deep as the text nests.
    if (!(error instanceof RangeError)) throw error;
    return nothing([failure('the text nests too deep to be parsed', { line: 1, column: 1 })]);
  }
}

function readSource(tsMorph: TsMorph, text: string): JsonText {
  const project = new tsMorph.Project({
    useInMemoryFileSystem: true,
    skipLoadingLibFiles: true,
    skipFileDependencyResolution: true,
  });
  const source = project.createSourceFile('graph.ts', text);
  const broken = project.getProgram().getSyntacticDiagnostics(source).slice(0, LISTED);
  if (broken.length > 0) {
    return nothing(
      broken.map((fault) => {
        const message = fault.getMessageText();
        const words = typeof message === 'string' ? message : message.getMessageText();
        return failure(`this is no TypeScript: ${words}`, source.getLineAndColumnAtPos(fault.getStart()));
      }),
    );
  }
  const found = findGraph(tsMorph, source);
  if ('message' in found) return nothing([failure(found.message, found.position)]);
  return readConstant(tsMorph, source, found.graph);
}

function nothing(faults: readonly Diagnostic[]): JsonText {
  return { value: undefined, faults, values: new Map(), keys: new Map() };
}

function failure(message: string, position: Position) {
  return { severity: 'error', code: 'G021', pointer: '', message, position } as const;
}

type Found = { readonly graph: Expression } | { readonly message: string; readonly position: Position };

/** The argument of defineUNet in the default export. */
function findGraph({ Node: Is }: TsMorph, source: SourceFile): Found {
  const exported = source.getExportAssignments().find((one) => !one.isExportEquals());
  if (!exported)
    return { message: `there is no default export; ${EXPECTED}`, position: { line: 1, column: 1 } };
  const value = exported.getExpression();
  const refuse = (message: string): Found => ({ message, position: positionOf(source, value) });
  if (!Is.isCallExpression(value)) return refuse(`the default export is no call; ${EXPECTED}`);
  const called = value.getExpression().getText();
  const names = source
    .getImportDeclarations()
    .flatMap((declaration) => declaration.getNamedImports())
    .filter((name) => name.getName() === 'defineUNet')
    .map((name) => name.getAliasNode()?.getText() ?? name.getName());
  if (!names.includes(called)) return refuse(`the default export calls ${called.slice(0, 40)}; ${EXPECTED}`);
  const [graph, ...rest] = value.getArguments();
  if (!graph || rest.length > 0 || !Is.isExpression(graph)) {
    return refuse(`defineUNet takes one graph, found ${value.getArguments().length} arguments`);
  }
  return { graph };
}
