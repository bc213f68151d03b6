// A diff as SARIF 2.1.0, the format that code-scanning services take. Source: OASIS, sarif-v2.1.0.

import { DIFF_RULES, type Severity } from '../../compiler/diff/rules.ts';
import { RULES, type RuleCode } from '../../compiler/format/rules.ts';
import type { DiffDocument, FoundFinding } from '../../engine/diff/document.ts';
import { packageVersion } from '../../engine/package.ts';
import { changeOf } from './fold.ts';

const LEVELS: Readonly<Record<Severity, string>> = { breaking: 'error', dangerous: 'warning', info: 'note' };

/** One run; `file` is that of the new side. */
export function renderSarif(document: DiffDocument, file: string | null): string {
  return sarifLog([{ document, file }], []);
}

/** A fault of a graph that is no valid one. */
export interface SarifFault {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly position: FoundFinding['position'];
  readonly file: string;
}

/** One run over the diffs of several graphs, and the faults of those that are not valid. */
export function sarifLog(
  diffs: readonly { readonly document: DiffDocument; readonly file: string | null }[],
  faults: readonly SarifFault[],
): string {
  const found = diffs.flatMap(({ document, file }) => document.findings.map((one) => ({ one, file })));
  const used = [...new Set(found.map(({ one }) => one.rule))].sort();
  const codes = [...new Set(faults.map(({ code }) => code))].sort();
  const rules = [
    ...used.map((id) => ({
      id,
      shortDescription: { text: DIFF_RULES[id].title },
      help: { text: DIFF_RULES[id].next },
      defaultConfiguration: { level: LEVELS[DIFF_RULES[id].severity] },
    })),
    ...codes.map((id) => ({ id, shortDescription: { text: RULES[id as RuleCode].title } })),
  ];
  const results = [
    ...found.map(({ one, file }) => resultOf(one, used.indexOf(one.rule), file)),
    ...faults.map(({ code, severity, message, position, file }) => ({
      ruleId: code,
      ruleIndex: used.length + codes.indexOf(code),
      level: severity,
      message: { text: message },
      locations: [physical(file, position)],
    })),
  ];
  const driver = { name: 'unetc', version: packageVersion(), rules };
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function physical(file: string, position: FoundFinding['position']): object {
  return {
    physicalLocation: {
      artifactLocation: { uri: encodeURI(file.replaceAll('\\', '/')) },
      ...(position && { region: { startLine: position.line, startColumn: position.column } }),
    },
  };
}

function resultOf(found: FoundFinding, ruleIndex: number, file: string | null): object {
  const { rule, severity, place, message, position, fingerprint, accepted, before, after } = found;
  const change = changeOf(found);
  return {
    ruleId: rule,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: `${place}: ${message}${change === '' ? '' : ` (${change})`}` },
    locations: [
      {
        ...(file === null ? {} : physical(file, position)),
        logicalLocations: [{ fullyQualifiedName: place, kind: 'member' }],
      },
    ],
    partialFingerprints: { 'unetc/v1': fingerprint },
    ...(accepted === null ? {} : { suppressions: [{ kind: 'external', justification: accepted }] }),
    properties: { severity, before, after },
  };
}
