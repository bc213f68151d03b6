// The diff of a branch in a format: one verdict over all graphs, and each graph's diff as two sides are shown.

import { formatDiagnostic } from '../../compiler/diagnostics.ts';
import { count } from '../../compiler/graph/words.ts';
import type { BaseDocument, BaseGraph } from '../../engine/diff/base-document.ts';
import type { Format } from './render.ts';
import type { TextOptions } from './render-text.ts';

/** GitHub keeps a mebibyte of a job's summary, and refuses comments of more than 65,536 characters. */
const MOST_MARKDOWN = 58_000;

/** The text; it ends in a line break. */
export async function renderBase(
  document: BaseDocument,
  format: Exclude<Format, 'html'>,
  options: TextOptions,
): Promise<string> {
  switch (format) {
    case 'text':
      return textOf(document, options);
    case 'json':
      return `${JSON.stringify(document, null, 2)}\n`;
    case 'markdown':
      return markdownOf(document);
    case 'github':
      return githubOf(document);
    case 'sarif':
      return sarifOf(document);
  }
}

async function textOf(document: BaseDocument, options: TextOptions): Promise<string> {
  const { renderText } = await import('./render-text.ts');
  const parts = document.graphs.map(({ diff, diagnostics, path }) =>
    diff === null
      ? `${path}\n\n${diagnostics.map((d) => `${faultOf(d, path)}\n`).join('')}`
      : renderText(diff, options),
  );
  const left = document.left_out.map(({ path, what }) => `${path}: left out, it is ${what}\n`).join('');
  return [...parts, left + verdictOf(document)].join('\n');
}

/** `3 graphs differ from main (0a1b2c3d4e5f): 1 changed, 1 added, 1 bad; 2 breaking, 1 info; 2 at or above breaking`. */
function verdictOf({ base, graphs, summary, fail_on }: BaseDocument): string {
  const at = `${base.ref} (${base.commit.slice(0, 12)})`;
  if (graphs.length === 0) return `no graph differs from ${at}\n`;
  const states = [...new Set(graphs.map(({ state }) => state))].map(
    (state) => `${graphs.filter((graph) => graph.state === state).length} ${state}`,
  );
  const counts = (['breaking', 'dangerous', 'info', 'accepted'] as const)
    .filter((key) => summary[key] > 0)
    .map((key) => `${summary[key]} ${key}`);
  const failing =
    fail_on === 'never' ? 'no finding fails' : `${summary.failing || 'none'} at or above ${fail_on}`;
  const found = counts.length === 0 ? '' : `; ${counts.join(', ')}; ${failing}`;
  return `${count(graphs.length, 'graph differs', 'graphs differ')} from ${at}: ${states.join(', ')}${found}\n`;
}

async function markdownOf(document: BaseDocument): Promise<string> {
  const { code, escaped, renderMarkdown } = await import('./render-markdown.ts');
  const head = [
    `## ${escaped(verdictOf(document).trim())}`,
    '',
    ...(document.graphs.length === 0
      ? []
      : ['| graph | | breaking | dangerous | info | accepted |', '|---|---|---:|---:|---:|---:|']),
    ...document.graphs.map(({ path, before, state, diff }) => {
      const name = before === null || before === path ? code(path) : `${code(before)} → ${code(path)}`;
      const counts = (['breaking', 'dangerous', 'info', 'accepted'] as const).map(
        (key) => diff?.summary[key] || '',
      );
      return `| ${name} | ${state} | ${counts.join(' | ')} |`;
    }),
    ...document.left_out.map(({ path, what }) => `- ${code(path)} was left out: it is ${escaped(what)}`),
    '',
    '',
  ].join('\n');
  let text = head;
  const without: string[] = [];
  for (const graph of document.graphs) {
    const part = graph.diff === null ? badPart(graph, code, escaped) : renderMarkdown(graph.diff);
    if (Buffer.byteLength(text) + Buffer.byteLength(part) > MOST_MARKDOWN) without.push(graph.path);
    else text += `${part}\n`;
  }
  return without.length === 0
    ? text
    : `${text}… and ${count(without.length, 'graph')} more, left out for length: run \`unetc diff --base\` to see them.\n`;
}

function badPart(
  { path, diagnostics }: BaseGraph,
  code: (text: string) => string,
  escaped: (text: string) => string,
): string {
  const lines = diagnostics.map((d) => `- 🔴 **${d.code}** ${escaped(faultOf(d, path))}`);
  return `### ${code(path)} is no valid graph\n\n${lines.join('\n')}\n`;
}

async function githubOf(document: BaseDocument): Promise<string> {
  const { annotation, renderGithub } = await import('./render-github.ts');
  const parts = document.graphs.map(({ state, path, diff, diagnostics }) => {
    // a line of a file that is gone cannot be annotated
    if (diff !== null) return renderGithub(diff, state === 'deleted' ? null : path);
    return diagnostics
      .map(({ severity, code, position, pointer, message }) =>
        annotation(
          severity === 'error' ? 'error' : 'warning',
          { file: path, position, title: `unetc ${code}` },
          `${pointer === '' ? path : pointer}: ${message}`,
        ),
      )
      .join('');
  });
  const none = { file: null, position: null, title: 'unetc diff' };
  const left = document.left_out.map(({ path, what }) =>
    annotation('notice', none, `${path} was left out: it is ${what}`),
  );
  return [...parts, ...left, annotation('notice', none, verdictOf(document).trim())].join('');
}

async function sarifOf(document: BaseDocument): Promise<string> {
  const { sarifLog } = await import('./render-sarif.ts');
  const diffs = document.graphs.flatMap(({ path, diff }) =>
    diff === null ? [] : [{ document: diff, file: path }],
  );
  const faults = document.graphs.flatMap(({ path, diagnostics }) =>
    diagnostics.map((d) => ({ ...d, file: path })),
  );
  return sarifLog(diffs, faults);
}

function faultOf({ position, ...rest }: BaseGraph['diagnostics'][number], path: string): string {
  return formatDiagnostic({ ...rest, ...(position && { position }) }, path);
}
