// A diff as annotations of GitHub Actions, at the line of the new graph's file that decides each finding.
// Source: docs.github.com, "Workflow commands for GitHub Actions".

import type { Severity } from '../../compiler/diff/rules.ts';
import type { DiffDocument } from '../../engine/diff/document.ts';
import { changeOf, foldFindings } from './fold.ts';

const LEVELS: Readonly<Record<Severity, string>> = {
  breaking: 'error',
  dangerous: 'warning',
  info: 'notice',
};

/** One line an annotation; `file` is that of the new side. Accepted findings are left out. */
export function renderGithub(document: DiffDocument, file: string | null): string {
  const open = document.findings.filter(({ accepted }) => accepted === null);
  const lines = foldFindings(open).map(({ one, places }) => {
    const { position, rule, message, next, fingerprint, severity } = one;
    const change = changeOf(one);
    const text = `${places}: ${message}${change === '' ? '' : ` (${change})`}\n${next} [${fingerprint}]`;
    return annotation(LEVELS[severity], { file, position, title: `unetc ${rule}` }, text);
  });
  const notice = (text: string) =>
    annotation('notice', { file: null, position: null, title: 'unetc diff' }, text);
  const stale = document.stale.map(({ fingerprint, reason }) =>
    notice(`accepted ${fingerprint} (${reason}) no longer occurs`),
  );
  return [...lines, ...stale, ...document.notes.map(notice)].join('');
}

/** What an annotation is about. */
export interface Annotated {
  readonly file: string | null;
  readonly position: { readonly line: number; readonly column: number } | null;
  readonly title: string;
}

/** A workflow command that GitHub shows at a line of a file, or of a job where there is none. */
export function annotation(level: string, { file, position, title }: Annotated, text: string): string {
  const place = position ? { line: position.line, col: position.column } : {};
  const properties = { ...(file === null ? {} : { file }), ...place, title };
  const listed = Object.entries(properties).map(([key, value]) => `${key}=${property(String(value))}`);
  return `::${level} ${listed.join(',')}::${data(text)}\n`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
