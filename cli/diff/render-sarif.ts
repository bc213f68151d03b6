// A diff as SARIF 2.1.0, the format that code-scanning services take. Source: OASIS, sarif-v2.1.0.

import { DIFF_RULES, type Severity } from '../../compiler/diff/rules.ts';
import type { DiffDocument, FoundFinding } from '../../engine/diff/document.ts';
import { packageVersion } from '../../engine/package.ts';
import { changeOf } from './fold.ts';

const LEVELS: Readonly<Record<Severity, string>> = { breaking: 'error', dangerous: 'warning', info: 'note' };

/** One run; `file` is that of the new side. */
export function renderSarif(document: DiffDocument, file: string | null): string {
  const used = [...new Set(document.findings.map(({ rule }) => rule))].sort();
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'unetc',
            version: packageVersion(),
            rules: used.map((id) => ({
              id,
              shortDescription: { text: DIFF_RULES[id].title },
              help: { text: DIFF_RULES[id].next },
              defaultConfiguration: { level: LEVELS[DIFF_RULES[id].severity] },
            })),
          },
        },
        results: document.findings.map((found) => resultOf(found, used.indexOf(found.rule), file)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function resultOf(found: FoundFinding, ruleIndex: number, file: string | null): object {
  const { rule, severity, place, message, position, fingerprint, accepted, before, after } = found;
  const change = changeOf(found);
  const physical =
    file === null
      ? {}
      : {
          physicalLocation: {
            artifactLocation: { uri: encodeURI(file.replaceAll('\\', '/')) },
            ...(position && { region: { startLine: position.line, startColumn: position.column } }),
          },
        };
  return {
    ruleId: rule,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: `${place}: ${message}${change === '' ? '' : ` (${change})`}` },
    locations: [{ ...physical, logicalLocations: [{ fullyQualifiedName: place, kind: 'member' }] }],
    partialFingerprints: { 'unetc/v1': fingerprint },
    ...(accepted === null ? {} : { suppressions: [{ kind: 'external', justification: accepted }] }),
    properties: { severity, before, after },
  };
}
