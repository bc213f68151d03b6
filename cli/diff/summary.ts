// A diff as Markdown behind what a file holds already, such as the summary that GitHub keeps of a job.

import fs from 'node:fs';

/** Adds a text to the end of a file; does nothing where none is named. */
export async function appendSummary(file: string | undefined, text: () => Promise<string>): Promise<void> {
  if (file !== undefined) fs.appendFileSync(file, await text());
}
