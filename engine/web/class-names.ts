// What classes are called, from a file: a name a line, or a JSON list of names, in the order of the labels.

import { decodeUtf8, fault, type Origin } from '../../runtime/bytes.ts';
import { readFile } from '../../runtime/host/node/files.ts';

/** The longest name; a line that is longer is none. */
const LONGEST = 200;

/** The names of `classes` classes. Throws RuntimeError('input') where there are not as many, or the file is none of names. */
export function readClassNames(file: string, classes: number): readonly string[] {
  const origin: Origin = { kind: 'input', label: file };
  const text = decodeUtf8(readFile(origin));
  if (text === null) throw fault(origin, 'the file is not UTF-8 text; write a name a line');
  const names = text.trimStart().startsWith('[') ? listIn(text, origin) : linesOf(text);
  if (names.length !== classes) {
    throw fault(
      origin,
      `found ${names.length} names, expected ${classes}, one for each class in the order of their labels`,
    );
  }
  const bad = names.findIndex((name) => name === '' || name.length > LONGEST);
  if (bad < 0) return names;
  const what = names[bad] === '' ? 'is empty' : `has more than ${LONGEST} characters`;
  throw fault(origin, `name ${bad + 1} ${what}; write a name a line`);
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function listIn(text: string, origin: Origin): readonly string[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw fault(origin, `the file begins as a JSON list, and is none: ${(error as Error).message}`, error);
  }
  if (Array.isArray(found) && found.every((name) => typeof name === 'string'))
    return found.map((name) => name.trim());
  throw fault(origin, 'expected a JSON list of texts, such as ["zero", "one"]');
}
