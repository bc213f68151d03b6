// Findings that a person has accepted: a JSON file keyed by fingerprint, each with its reason.

import { z } from 'zod';
import { decodeUtf8 } from '../../runtime/bytes.ts';
import { pathKind, readFile, writeFile } from '../../runtime/host/node/files.ts';
import { OptionError } from '../errors.ts';
import type { FoundFinding } from './document.ts';

const acceptedFile = z.strictObject({
  version: z.literal(1),
  accepted: z.record(
    z.string().regex(/^[0-9a-f]{12}$/, 'a key is a fingerprint of 12 hexadecimal digits'),
    z.strictObject({
      reason: z.string().min(1, 'a reason is a text of at least one character'),
      /** For those who read the file; nothing is decided by them. */
      rule: z.string().optional(),
      place: z.string().optional(),
      message: z.string().optional(),
    }),
  ),
});

export type Accepted = z.infer<typeof acceptedFile>['accepted'];

/** The accepted findings of a file. Throws RuntimeError('input') where it cannot be read. */
export function readAccepted(file: string): Accepted {
  const origin = { kind: 'input', label: file } as const;
  const text = decodeUtf8(readFile(origin));
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch (error) {
    throw unusable(file, `this is no JSON: ${(error as Error).message}`);
  }
  const parsed = acceptedFile.safeParse(json);
  if (parsed.success) return parsed.data.accepted;
  const faults = parsed.error.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`);
  throw unusable(file, faults.slice(0, 8).join('; '));
}

function unusable(file: string, why: string): OptionError {
  return new OptionError('input', (option) => `${file}: ${why}; write it with ${option('write_accepted')}`);
}

/**
 * Accepts the findings for which `fails` is true. A finding that the file accepts already keeps its reason; one that no
 * longer occurs is taken out.
 */
export function writeAccepted(
  file: string,
  findings: readonly FoundFinding[],
  fails: (found: FoundFinding) => boolean,
  reason: string,
): void {
  const before = pathKind(file) === 'file' ? readAccepted(file) : {};
  const entries = findings.flatMap((found) => {
    const { fingerprint, rule, place, message } = found;
    const had = before[fingerprint]?.reason;
    if (had === undefined && !fails(found)) return [];
    return [[fingerprint, { reason: had ?? reason, rule, place, message }] as const];
  });
  const accepted = Object.fromEntries(entries.toSorted(([x], [y]) => (x < y ? -1 : 1)));
  writeFile(file, `${JSON.stringify({ version: 1, accepted }, null, 2)}\n`);
}
