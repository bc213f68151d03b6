// The formats of a diff, each in a file of its own that is loaded when it is asked for.

import type { DiffDocument } from './document.ts';
import type { ReadSide } from './read-side.ts';

export const FORMATS = ['text', 'json', 'markdown', 'github', 'sarif'] as const;
export type Format = (typeof FORMATS)[number];

/** A document in a format. `to` is the new side, whose file annotations are for. */
export async function render(
  document: DiffDocument,
  format: Format,
  to: ReadSide,
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
      return (await import('./render-github.ts')).renderGithub(document, to.file);
    case 'sarif':
      return (await import('./render-sarif.ts')).renderSarif(document, to.file);
  }
}
