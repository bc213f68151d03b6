// A diff for people at a terminal: family by family, rule by rule, what changed and what to do next.

import { METRICS, type Metric, relative, whole } from '../../compiler/diff/cost.ts';
import { DIFF_RULES, FAMILIES, type RuleId, type Severity } from '../../compiler/diff/rules.ts';
import { stepWords, TRAINING_METRICS, type TrainingMetric } from '../../compiler/diff/training.ts';
import { count } from '../../compiler/graph/words.ts';
import type { DiffDocument, FoundFinding } from '../../engine/diff/document.ts';
import { changeOf, type Fold, foldFindings } from './fold.ts';

export interface TextOptions {
  readonly color: boolean;
  /** Every place and every tensor, nothing folded. */
  readonly all: boolean;
}

/** Entries of one rule before the rest is counted. */
const SHOWN = 8;

type Paint = (style: keyof typeof STYLES, text: string) => string;

const STYLES = { '+': 32, '-': 31, '~': 33, breaking: 31, dangerous: 33, info: 36, bold: 1, dim: 2 } as const;

/** The lines, the summary last. */
export function renderText(document: DiffDocument, { color, all }: TextOptions): string {
  const paint: Paint = (style, text) => (color ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text);
  const lines = [paint('bold', `${document.a.label} -> ${document.b.label}`)];
  for (const family of FAMILIES) {
    const findings = document.findings.filter((f) => f.family === family);
    const table = tableOf(family, document);
    if (findings.length === 0 && !(family === 'training' && table.length > 0)) continue;
    lines.push('', heading(family, document, paint), ...costLines(table, document, paint));
    const rules = new Set(findings.map((f) => f.rule).filter((rule) => !IN_TABLE.has(rule)));
    for (const rule of rules) {
      lines.push(
        ...ruleLines(
          rule,
          findings.filter((f) => f.rule === rule),
          paint,
          all,
        ),
      );
    }
  }
  for (const { kernel, diff } of document.kernels ?? [])
    lines.push('', paint('bold', `kernel ${kernel}`), diff.trimEnd());
  const stale = document.stale.map(({ fingerprint, reason }) => {
    return `accepted ${fingerprint} (${reason}) no longer occurs: take it out, or run --write-accepted`;
  });
  if (stale.length + document.notes.length > 0) lines.push('');
  lines.push(
    ...stale,
    ...document.notes.map((note) => `note: ${note}`),
    '',
    summaryLine(document, paint),
    '',
  );
  return lines.join('\n');
}

function heading(family: FoundFinding['family'], { training }: DiffDocument, paint: Paint): string {
  const named = paint('bold', family);
  if (family !== 'training' || training === undefined) return named;
  return `${named}  a step of ${stepWords(training, ' at once')}, and runs of the old graph`;
}

function ruleLines(
  rule: RuleId,
  findings: readonly FoundFinding[],
  paint: Paint,
  all: boolean,
): readonly string[] {
  const folds = foldFindings(findings, all);
  const shown = all ? folds : folds.slice(0, SHOWN);
  const severities = [...new Set(findings.map((f) => f.severity))].map((s) => paint(s, s)).join(', ');
  const { title, next } = DIFF_RULES[rule];
  const rest = findings.length - shown.reduce((n, fold) => n + fold.all.length, 0);
  return [
    `  ${rule} ${severities}: ${title}`,
    ...shown.flatMap((fold) => entryLines(fold, paint, all)),
    ...(rest > 0 ? [paint('dim', `    … ${count(rest, 'finding')} more; --all lists them`)] : []),
    `    next: ${next}`,
  ];
}

function entryLines({ one, all, places }: Fold, paint: Paint, everything: boolean): readonly string[] {
  const at = one.position ? `  line ${one.position.line}` : '';
  const more = all.length > 1 ? ` and ${all.length - 1} more` : '';
  const accepted = one.accepted === null ? '' : `  accepted: ${one.accepted}`;
  const change = changeOf(one);
  const head = `    ${paint(one.change, one.change)} ${places}: ${one.message}`;
  const tail = paint('dim', `${at}  ${one.fingerprint}${more}${accepted}`);
  return [
    `${head}${tail}`,
    ...(change === '' || one.family === 'schedule' ? [] : [`        ${change}`]),
    ...(everything ? one.details.map((line) => paint('dim', `        ${line}`)) : []),
  ];
}

/** The rules that tables of costs tell. */
const IN_TABLE: ReadonlySet<RuleId | null> = new Set(
  [...Object.values(METRICS), ...Object.values(TRAINING_METRICS)].map(({ rule }) => rule),
);

/** Something that costs, on both sides. */
interface Row {
  readonly title: string;
  readonly rule: RuleId | null;
  readonly before: number | null;
  readonly after: number | null;
}

/** What the numbers of a family are: of a model, and of a step of its training. */
function tableOf(family: FoundFinding['family'], { cost, training }: DiffDocument): readonly Row[] {
  if (family === 'cost') {
    const metrics = Object.keys(METRICS) as Metric[];
    return metrics.map((key) => ({ ...METRICS[key], before: cost.a[key], after: cost.b[key] }));
  }
  if (family !== 'training' || training === undefined) return [];
  const metrics = Object.keys(TRAINING_METRICS) as TrainingMetric[];
  return metrics.map((key) => ({
    ...TRAINING_METRICS[key],
    ...{ before: training.a[key], after: training.b[key] },
  }));
}

function costLines(rows: readonly Row[], { findings }: DiffDocument, paint: Paint): readonly string[] {
  return rows.flatMap(({ rule, title, before, after }) => {
    if (before === null || after === null) return [];
    const found = findings.find((f) => f.rule === rule);
    const numbers = [title.padEnd(20), whole(before).padStart(17), whole(after).padStart(17)].join('  ');
    if (!found) return [`      ${numbers}${before === after ? '' : `  ${relative(before, after)}`}`];
    const { severity, fingerprint, accepted } = found;
    const reason = accepted === null ? '' : `  accepted: ${accepted}`;
    const tail = `${paint(severity, severity)}${paint('dim', `  ${fingerprint}${reason}`)}`;
    return [`    ${paint('~', '~')} ${numbers}  ${relative(before, after)}  ${tail}`];
  });
}

/** `2 breaking, 1 dangerous, 5 info; 2 at or above breaking, exit 1`. */
function summaryLine({ summary, findings, fail_on }: DiffDocument, paint: Paint): string {
  if (findings.length === 0) return 'no changes';
  const counts = (['breaking', 'dangerous', 'info'] as const satisfies readonly Severity[])
    .filter((severity) => summary[severity] > 0)
    .map((severity) => paint(severity, `${summary[severity]} ${severity}`));
  if (summary.accepted > 0) counts.push(`${summary.accepted} accepted`);
  const verdict =
    fail_on === 'never' ? 'nothing fails' : `${summary.failing || 'none'} at or above ${fail_on}`;
  return `${counts.join(', ')}; ${verdict}`;
}
