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
    const place = one.position ? { line: one.position.line, col: one.position.column } : {};
    const properties = { ...(file === null ? {} : { file }), ...place, title: `unetc ${one.rule}` };
    const listed = Object.entries(properties).map(([key, value]) => `${key}=${property(String(value))}`);
    const change = changeOf(one);
    const text = `${places}: ${one.message}${change === '' ? '' : ` (${change})`}\n${one.next} [${one.fingerprint}]`;
    return `::${LEVELS[one.severity]} ${listed.join(',')}::${data(text)}\n`;
  });
  const notes = document.notes.map((note) => `::notice title=unetc diff::${data(note)}\n`);
  const stale = document.stale.map(({ fingerprint, reason }) => {
    return `::notice title=unetc diff::${data(`accepted ${fingerprint} (${reason}) no longer occurs`)}\n`;
  });
  return [...lines, ...stale, ...notes].join('');
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
