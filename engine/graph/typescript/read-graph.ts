// Reads a graph written in TypeScript, `export default defineUNet({ … })`, as the JSON that it says. The file is
// parsed and never executed, so that a stranger's can be read.

import { createRequire } from 'node:module';
import type { Expression, Node, SourceFile } from 'ts-morph';
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
  const idle = idleStatements(tsMorph, source).slice(0, LISTED);
  const found = findGraph(tsMorph, source);
  if ('message' in found) return nothing([...idle, failure(found.message, found.position)]);
  const read = readConstant(tsMorph, source, found.graph);
  return { ...read, faults: [...idle, ...read.faults] };
}

function nothing(faults: readonly Diagnostic[]): JsonText {
  return { value: undefined, faults, values: new Map(), keys: new Map() };
}

function failure(message: string, position: Position) {
  return { severity: 'error', code: 'G021', pointer: '', message, position } as const;
}

type Found = { readonly graph: Expression } | { readonly message: string; readonly position: Position };

/**
 * Statements that would do something if the file were executed, which it never is: their author believes that they do.
 * Imports from `unetc`, types, consts and the default export are what a graph is made of.
 */
function idleStatements(
  { Node: Is, VariableDeclarationKind }: TsMorph,
  source: SourceFile,
): readonly Diagnostic[] {
  return source.getStatements().flatMap((statement): readonly Diagnostic[] => {
    const fault = (message: string, at: Node = statement) => [failure(message, positionOf(source, at))];
    if (Is.isImportDeclaration(statement)) {
      const from = statement.getModuleSpecifierValue();
      if (from !== 'unetc') {
        return fault(
          `found an import from '${clip(from)}', which is not read; a graph imports from 'unetc' alone`,
        );
      }
      const other = statement.getNamedImports().find((one) => !PROVIDED.includes(one.getName()));
      if (other && !statement.isTypeOnly() && !other.isTypeOnly()) {
        return fault(`'unetc' gives graphs ${PROVIDED.join(' and ')}, found ${clip(other.getName())}`, other);
      }
      const whole = statement.getDefaultImport() ?? statement.getNamespaceImport();
      return whole
        ? fault(`found ${clip(whole.getText())}; write import { defineUNet } from 'unetc'`, whole)
        : [];
    }
    if (Is.isVariableStatement(statement)) {
      const kind = statement.getDeclarationKind();
      if (kind === VariableDeclarationKind.Const) return [];
      return fault(`found ${kind}; write const: nothing is executed that could change it`);
    }
    const isInert =
      Is.isExportAssignment(statement) ||
      Is.isTypeAliasDeclaration(statement) ||
      Is.isInterfaceDeclaration(statement) ||
      Is.isEmptyStatement(statement);
    if (isInert) return [];
    return fault(
      `found ${clip(statement.getText())}, and nothing is executed; a graph is consts, types and one default export`,
    );
  });
}

/** What a graph may import from `unetc`. */
const PROVIDED: readonly string[] = ['defineUNet', 'GraphFile'];

function clip(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 40 ? `${line.slice(0, 40)}…` : line;
}

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
