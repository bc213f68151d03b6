#!/usr/bin/env node
// The command `unetc`: the built program. In a checkout that was never built it is built first, so that the command
// works behind a plain `npm ci`.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(main)) {
  const script = new URL('setup/build.sh', import.meta.url);
  // stdout is for results: what the build prints goes to stderr
  const { status } = spawnSync('sh', [script.pathname], { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    process.stderr.write('unetc: the build failed; run `npm ci`, then `npm run build`\n');
    process.exit(70);
  }
}
const { main: run } = await import(main.href);
const { runProcess } = await import(new URL('process.js', main).href);
await runProcess(run);
