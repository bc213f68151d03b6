// Debian's chromium without a screen, where it is there: pages as a reader's browser sees them.

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** The command of a browser that is installed, or null. */
export const browser: string | null = ['chromium', 'chromium-browser', 'google-chrome'].find(isThere) ?? null;

function isThere(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The document of a page after its scripts have run. */
export async function documentOf(file: string, width = 1400): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), 'unetc-browser-'));
  const words = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    `--user-data-dir=${profile}`,
    `--window-size=${width},1000`,
    '--dump-dom',
    pathToFileURL(file).href,
  ];
  try {
    const { stdout } = await promisify(execFile)(browser!, words, { timeout: 50_000, maxBuffer: 2 ** 26 });
    return stdout;
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}
