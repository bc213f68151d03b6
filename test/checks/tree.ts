// What stands in a folder, so that two moments can be compared.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Every file, folder, link and pipe below a folder, each with what it holds. Links are not followed. */
export function treeOf(folder: string): ReadonlyMap<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return new Map(names.map((name) => [name, contentOf(path.join(folder, name))]));
}

function contentOf(file: string): string {
  const stat = fs.lstatSync(file);
  if (stat.isSymbolicLink()) return `link to ${fs.readlinkSync(file)}`;
  if (stat.isDirectory()) return 'folder';
  if (!stat.isFile()) return 'device or pipe';
  const content = fs.readFileSync(file);
  return `${stat.mode & 0o777} ${stat.size} ${createHash('sha256').update(content).digest('hex')}`;
}

/** What was added, changed or removed, a line each. */
export function changesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const gone = [...before.keys()].filter((name) => !after.has(name)).map((name) => `removed ${name}`);
  const others = [...after].flatMap(([name, content]) => {
    if (!before.has(name)) return [`added ${name}`];
    return before.get(name) === content ? [] : [`changed ${name}`];
  });
  return [...gone, ...others];
}
