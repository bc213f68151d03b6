// Starts programs of this folder in Deno, the npm package's: they are TypeScript, which it runs as it stands.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';

const ROOT = join(import.meta.dirname, '../../..');
const DENO = join(ROOT, 'node_modules/.bin/deno');

/** Whether there is one: npm installs none for a platform that Deno is not built for. */
export const hasDeno = existsSync(DENO);

/**
 * Gives a program its question as JSON and returns the answer, which is JSON, too. It may read and start nothing that a page
 * could not, but the repository's files. Rejects with what the program printed where it fails.
 */
export async function askDeno<Q, A>(program: 'kernels' | 'cases', question: Q): Promise<A> {
  const words = ['run', '--no-lock', '--no-prompt', `--allow-read=${ROOT}`, '--allow-env', '--allow-sys'];
  const child = spawn(DENO, [...words, join(import.meta.dirname, 'deno', `${program}.ts`)], {
    cwd: ROOT,
    env: { ...process.env, DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) =>
    child.on('close', resolve).on('error', reject),
  );
  // a program that ends early reads no further; its own words say why
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(question));
  const [answer, said, code] = await Promise.all([
    json(child.stdout).catch(() => null),
    text(child.stderr),
    ended,
  ]);
  if (code !== 0 || answer === null) throw new Error(`Deno's ${program}.ts ended with ${code}:\n${said}`);
  return answer as A;
}
