// How dist/ is bundled: a start loads a handful of files instead of hundreds, and a page one.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'rolldown';

/** What is started, imported or forked by its path, or is a thread. */
const entries = [
  'cli/main',
  'cli/process',
  'engine/api',
  'engine/data/worker',
  'cli/bench/worker',
  'cli/bench/gpu',
];

const node = defineConfig({
  input: Object.fromEntries(entries.map((entry) => [entry, `${entry}.ts`])),
  platform: 'node',
  // Dawn and sharp are binaries; the other two are large, and a few commands load them on demand.
  external: ['webgpu', 'sharp', 'ts-morph', /^protobufjs/],
  plugins: [licenses()],
  // The sources defer modules that the groups below put into a chunk that is loaded anyway.
  checks: { ineffectiveDynamicImport: false },
  output: {
    dir: 'dist',
    chunkFileNames: 'chunks/[name].js',
    // read only by a Node that is told to (--enable-source-maps)
    sourcemap: true,
    codeSplitting: {
      // Each takes what its files import and no group above has: what is loaded together lies in one file. Left
      // alone, rolldown writes one for every set of entries and deferred imports that share modules, and a model is
      // opened from 45 files instead of 6.
      groups: [
        // small modules of everything; with `tensors` it is all that the process of a peer in the bench loads
        {
          name: 'base',
          test: /[\\/](cli[\\/](context|v8)|runtime[\\/](arguments|errors|usage-error)|engine[\\/](errors|host|package|graph[\\/]checkpoint-path)|format[\\/](json|nearest)|graph[\\/]words|sampler[\\/]noise|number-list|adapter|safetensors-write|nearest-name)\.ts$/,
        },
        // what words are held against, settings, targets and samplers, and where notes go
        {
          name: 'words',
          test: /[\\/](cli[\\/](host|parse|words[\\/]settings)|runtime[\\/]sampler[\\/]samplers[\\/]index)\.ts$/,
        },
        // the command line, before it knows the command
        { name: 'start', test: /[\\/]cli[\\/](program|process|commands[\\/].*)\.ts$/ },
        { name: 'tensors', test: /[\\/]engine[\\/]model[\\/]run-inputs\.ts$/ },
        {
          name: 'graph',
          test: /[\\/](engine[\\/]graph[\\/]graph-file\.ts$|compiler[\\/](format|layers|families|spec|graph)[\\/])/,
        },
        { name: 'compile', test: /[\\/]compiler[\\/]compile\.ts$/ },
        // what opens a model, and what the commands that do so share beside it: drawing, and a page's checks
        {
          name: 'model',
          test: /[\\/](engine[\\/](model[\\/](model-source|open-model)|compile[\\/]usual-limits)|sampler[\\/](request|sample))\.ts$/,
        },
      ],
    },
  },
});

/** `unetc/runtime`, whole in one file: what it holds of packages is in licenses.txt already. */
const web = defineConfig({
  input: { 'runtime/runtime': 'runtime/runtime.ts' },
  platform: 'browser',
  // A page loads it as it stands: without its comments and spaces it is half of it. The map has the sources.
  output: { dir: 'dist', sourcemap: true, codeSplitting: false, minify: true },
});

/** The scripts of the page that `unetc web` writes: classic and whole, so that any static server will do. */
const page = ['web/page/page', 'web/worker/worker'].map((entry) =>
  defineConfig({
    input: { [entry.replace(/\/\w+$/, '')]: `${entry}.ts` },
    platform: 'browser',
    output: { dir: 'dist', format: 'iife', codeSplitting: false, minify: true },
  }),
);

export default [node, web, ...page];

/** Writes licenses.txt: the terms of the packages whose code is in the bundle. */
function licenses() {
  return {
    name: 'licenses',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((chunk) => Object.keys(chunk.modules ?? {}));
      const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []);
      const texts = [...new Set(folders)].sort().map((folder) => {
        const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        const file = ['LICENSE', 'LICENSE.md', 'license'].map((one) => join(folder, one)).find(existsSync);
        if (!file) this.error(`${name} is bundled and has no license file`);
        return `${name} ${version}\n\n${readFileSync(file, 'utf8').trim()}\n`;
      });
      this.emitFile({
        type: 'asset',
        fileName: 'licenses.txt',
        source: texts.join(`\n${'-'.repeat(80)}\n\n`),
      });
    },
  };
}
