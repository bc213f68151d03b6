// A diff as a page: both graphs as pictures side by side, with what changed coloured, and the findings above them.

import type { Diff } from '../../compiler/diff/diff.ts';
import type { Finding } from '../../compiler/diff/finding.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { count } from '../../compiler/graph/words.ts';
import type { DiffDocument } from '../../engine/diff/document.ts';
import { UsageError } from '../../engine/errors.ts';
import { picturePage } from '../picture/page.ts';
import type { Mark, PictureSide } from '../picture/picture.ts';
import { changeOf, foldFindings } from './fold.ts';

/** The page. Throws UsageError where a side has no graph to draw. */
export function renderHtml(document: DiffDocument, { a, b }: Diff['graphs']): string {
  if (!a || !b)
    throw new UsageError('--format html: a checkpoint of another family has no picture; name graphs');
  const { findings, summary } = document;
  const lines = foldFindings(findings).map(({ one, places }) => {
    // their sentences have both numbers
    const change = one.family === 'schedule' ? '' : changeOf(one);
    const accepted = one.accepted === null ? '' : `; accepted: ${one.accepted}`;
    return `${one.severity} ${one.rule}: ${places}: ${one.message}${change === '' ? '' : ` (${change})`}${accepted}`;
  });
  const counts = `${summary.breaking} breaking, ${summary.dangerous} dangerous, ${summary.info} info`;
  const verdict = findings.length === 0 ? 'no changes' : `${count(findings.length, 'finding')}: ${counts}`;
  return picturePage(
    [sideOf(a, document.a.label, findings, 'a'), sideOf(b, document.b.label, findings, 'b')],
    {
      title: `${document.a.label} -> ${document.b.label}`,
      summary: [verdict, ...lines, ...document.notes],
    },
  );
}

/** A graph with the marks and words of the findings that have a place in it. */
function sideOf(
  graph: Graph,
  title: string,
  findings: DiffDocument['findings'],
  side: 'a' | 'b',
): PictureSide {
  const marks = new Map<string, Mark>();
  const notes = new Map<string, string[]>();
  for (const found of findings) {
    const path = found.path[side];
    if (path === null) continue;
    if (found.family !== 'schedule') marks.set(path, markOf(found));
    notes.set(path, [...(notes.get(path) ?? []), `${found.severity} ${found.rule}: ${found.message}`]);
  }
  return { graph, title, marks, notes };
}

/** What is on both sides has changed, whatever came to it or went. */
function markOf({ path }: Pick<Finding, 'path'>): Mark {
  if (path.a !== null && path.b !== null) return 'changed';
  return path.a === null ? 'added' : 'removed';
}
