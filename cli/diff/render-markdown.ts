// A diff for a pull request: the summary table first, details folded, cut below GitHub's limit on comments with a count
// of what is missing.

import { METRICS, type Metric, relative, whole } from '../../compiler/diff/cost.ts';
import { DIFF_RULES, FAMILIES, SEVERITIES } from '../../compiler/diff/rules.ts';
import { stepWords, TRAINING_METRICS, type TrainingMetric } from '../../compiler/diff/training.ts';
import { count } from '../../compiler/graph/words.ts';
import type { DiffDocument } from '../../engine/diff/document.ts';
import { changeOf, type Fold, foldFindings } from './fold.ts';

/** GitHub refuses comments of more than 65,536 characters; a comment may have something around this. */
const MOST_BYTES = 58_000;

/** Tensors and the like that one finding lists. */
const MOST_DETAILS = 12;

/** Accepted findings that no longer occur, and the characters of a reason: both are of any number. */
const MOST_STALE = 20;
const MOST_REASON = 200;

const MARKS = { breaking: '🔴', dangerous: '🟡', info: '🔵' } as const;

/** Never more than `MOST_BYTES` where labels and notes are of usual length. */
export function renderMarkdown(document: DiffDocument): string {
  const head = [
    `### ${code(document.a.label)} → ${code(document.b.label)}`,
    '',
    verdict(document),
    '',
    ...summaryTable(document),
    ...costTable(document),
    ...trainingTable(document),
    ...staleLines(document),
    ...document.notes.map((note) => `- ${escaped(note)}`),
    '',
  ].join('\n');
  const room = MOST_BYTES - bytes(head);
  return head + details(document, room);
}

function verdict({ summary, findings, fail_on }: DiffDocument): string {
  if (findings.length === 0) return '**No changes.**';
  const failing =
    fail_on === 'never' ? 'nothing fails' : `${summary.failing || 'none'} at or above \`${fail_on}\``;
  return `**${count(findings.length, 'finding')}**, ${failing}${summary.accepted > 0 ? `, ${summary.accepted} accepted` : ''}.`;
}

function summaryTable({ findings }: DiffDocument): readonly string[] {
  if (findings.length === 0) return [];
  const rows = FAMILIES.filter((family) => findings.some((f) => f.family === family)).map((family) => {
    const counts = SEVERITIES.map((severity) => {
      const n = findings.filter(
        (f) => f.family === family && f.severity === severity && f.accepted === null,
      ).length;
      return n === 0 ? '' : `${MARKS[severity]} ${n}`;
    });
    return `| ${family} | ${counts.join(' | ')} |`;
  });
  return ['| family | breaking | dangerous | info |', '|---|---:|---:|---:|', ...rows, ''];
}

function costTable({ cost, findings }: DiffDocument): readonly string[] {
  if (findings.length === 0) return [];
  const rows = (Object.keys(METRICS) as Metric[]).flatMap((metric) => {
    const [before, after] = [cost.a[metric], cost.b[metric]];
    return before === null || after === null ? [] : [costRow(METRICS[metric].title, before, after)];
  });
  return ['| cost of one image | before | after | |', '|---|---:|---:|---:|', ...rows, ''];
}

function trainingTable({ training, findings }: DiffDocument): readonly string[] {
  if (training === undefined || findings.length === 0) return [];
  const { a, b, kept, others } = training;
  const rows = (Object.keys(TRAINING_METRICS) as TrainingMetric[]).map((metric) =>
    costRow(TRAINING_METRICS[metric].title, a[metric], b[metric]),
  );
  const of = `a step of training, ${stepWords(training, ' at once')}`;
  const tensors = [kept + others.filter(({ from }) => from !== null).length, kept] as const;
  return [
    ...[`| ${of} | before | after | |`, '|---|---:|---:|---:|', ...rows],
    `| parameters of a run, and those that carry over by name | ${tensors[0]} | ${tensors[1]} | |`,
    '',
  ];
}

function costRow(title: string, before: number, after: number): string {
  return `| ${title} | ${whole(before)} | ${whole(after)} | ${before === after ? '' : relative(before, after)} |`;
}

function staleLines({ stale }: DiffDocument): readonly string[] {
  const lines = stale.slice(0, MOST_STALE).map(({ fingerprint, reason }) => {
    return `- accepted ${code(fingerprint)} (${escaped(clipped(reason))}) no longer occurs`;
  });
  const rest = stale.length - lines.length;
  return rest > 0 ? [...lines, `- … and ${rest} more that no longer occur`] : lines;
}

function clipped(reason: string): string {
  return reason.length > MOST_REASON ? `${reason.slice(0, MOST_REASON)}…` : reason;
}

/** One fold for each family, its entries as far as there is room. */
function details(document: DiffDocument, room: number): string {
  let text = '';
  let left = 0;
  for (const family of FAMILIES) {
    const folds = foldFindings(document.findings.filter((f) => f.family === family));
    if (folds.length === 0) continue;
    const open = `<details><summary>${family}: ${count(
      folds.reduce((n, { all }) => n + all.length, 0),
      'finding',
    )}</summary>\n\n`;
    const close = '\n</details>\n';
    let body = '';
    for (const fold of folds) {
      const entry = entryText(fold);
      if (bytes(text) + bytes(open) + bytes(body) + bytes(entry) + bytes(close) > room - 200) {
        left += fold.all.length;
      } else body += entry;
    }
    if (body !== '') text += open + body + close;
  }
  for (const { kernel, diff } of document.kernels ?? []) {
    const block = `<details><summary>kernel ${kernel}</summary>\n\n\`\`\`diff\n${diff}\n\`\`\`\n</details>\n`;
    if (bytes(text) + bytes(block) <= room - 200) text += block;
    else left++;
  }
  return left === 0
    ? text
    : `${text}\n… and ${count(left, 'finding')} more, left out for length: run \`unetc diff\` to see them.\n`;
}

function entryText({ one, all, places }: Fold): string {
  const { rule, severity, change, message, fingerprint, accepted, position, details: list } = one;
  const before = changeOf(one);
  const at = position ? ` (line ${position.line})` : '';
  const more = all.length > 1 ? ` and ${all.length - 1} more` : '';
  const lines = [
    `- ${MARKS[severity]} \`${change}\` **${rule}** ${code(places)}: ${escaped(message)}${at}`,
    ...(before === '' ? [] : [`  ${code(before)}`]),
    ...(all.length === 1 ? list.slice(0, MOST_DETAILS).map((line) => `  - ${code(line)}`) : []),
    ...(all.length === 1 && list.length > MOST_DETAILS
      ? [`  - … and ${list.length - MOST_DETAILS} more`]
      : []),
    `  _${accepted === null ? escaped(DIFF_RULES[rule].next) : `accepted: ${escaped(accepted)}`}_ · ${code(fingerprint)}${more}`,
  ];
  return `${lines.join('\n')}\n`;
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** Text from a file must neither format nor break the line. */
export function escaped(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_<>|[\]]/g, (c) => `\\${c}`);
}

/** Text from a file as code in a line. */
export function code(text: string): string {
  return `\`${text
    .replace(/[\r\n]+/g, ' ')
    .replaceAll('`', "'")
    .replaceAll('|', '\\|')}\``;
}
