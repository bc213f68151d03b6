// The formats of a diff, each in a file of its own that is loaded when it is asked for.

import type { DiffRun } from '../../engine/diff/run-diff.ts';

export const FORMATS = ['text', 'json', 'markdown', 'github', 'sarif', 'html'] as const;
export type Format = (typeof FORMATS)[number];

/** A diff in a format. `file` is that of the new side, which annotations are for. */
export async function render(
  { document, diff }: DiffRun,
  format: Format,
  file: string | null,
  options: { readonly color: boolean; readonly all: boolean },
): Promise<string> {
  switch (format) {
    case 'text':
      return (await import('./render-text.ts')).renderText(document, options);
    case 'json':
      return `${JSON.stringify(document, null, 2)}\n`;
    case 'markdown':
      return (await import('./render-markdown.ts')).renderMarkdown(document);
    case 'github':
      return (await import('./render-github.ts')).renderGithub(document, file);
    case 'sarif':
      return (await import('./render-sarif.ts')).renderSarif(document, file);
    case 'html':
      return (await import('./render-html.ts')).renderHtml(document, diff.graphs);
  }
}
