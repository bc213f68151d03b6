// Starts one of the checks: `node test/checks/start.mjs NAME [OPTIONS]`. The checks are TypeScript, and parsers should run
// as fast as in the build, so the check is bundled from the sources into out/ first, and its folder removed behind it.

import { rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const here = import.meta.dirname;
const root = path.join(here, '..', '..');

/** What each check is bundled from: its own file first, then what it starts as threads. */
const CHECKS = {
  hostile: ['hostile/main.ts'],
  fuzz: ['fuzz/main.ts', 'fuzz/worker.ts'],
  faults: ['faults/main.ts'],
  kill: ['kill/main.ts'],
  soak: ['soak/main.ts'],
  page: ['page/main.ts'],
  judge: ['judge/main.ts'],
};

/** Tests read fixtures beside themselves, and the bundle is elsewhere: each file keeps its own place. */
function atHome(code, id) {
  return code
    .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(id)))
    .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
}

const [name = '', ...words] = process.argv.slice(2);
if (!Object.hasOwn(CHECKS, name)) {
  console.error(`error: found '${name}', expected a check: ${Object.keys(CHECKS).join(', ')}`);
  process.exit(2);
}
const folder = path.join(root, 'out', `checks.${process.pid}`);
const inputs = CHECKS[name].map((file) => [path.basename(file, '.ts'), path.join(here, file)]);
const bundle = await rolldown({
  input: Object.fromEntries(inputs),
  platform: 'node',
  external: ['webgpu', 'ts-morph', 'rolldown', /^protobufjs/],
  checks: { ineffectiveDynamicImport: false, sourcemapBroken: false },
  plugins: [{ name: 'fixtures', transform: { filter: { id: /[\\/]test[\\/].*\.ts$/ }, handler: atHome } }],
});
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await bundle.write({
  dir: folder,
  entryFileNames: '[name].mjs',
  chunkFileNames: '[name]-[hash].mjs',
  sourcemap: true,
});
await bundle.close();
process.setSourceMapsEnabled(true);
const { check } = await import(pathToFileURL(path.join(folder, 'main.mjs')).href);
process.exit(await check(words));
