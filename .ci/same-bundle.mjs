// Compares the bundles that two states of the project compile: the check behind `[same bundle]` in a commit's title.
//
//   npm run same-bundle                        the last commit and the working tree
//   npm run same-bundle -- BASE                a commit and the working tree
//   npm run same-bundle -- BASE HEAD           two commits
//   npm run same-bundle -- --each BASE         every commit since BASE whose title begins with [same bundle], and its parent
//   npm run same-bundle -- --only dispatches   leaves the manifest out: texts of kernels, their order, sizes, workgroups
//   npm run same-bundle -- --only kernels      the set of the kernels' texts alone
//
// Every graph in graphs/ and test/golden/ is compiled for every target and precision: as it is, strict, with taps for
// three images, and for six tenths of the memory. Exits with 1 where something differs, and with 2 where a state cannot
// be built.

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');
const levels = ['kernels', 'dispatches', 'manifest'];

if (process.argv[2] === '--digests') await printDigests(process.argv[3]);
else process.exitCode = await main(process.argv.slice(2));

async function main(words) {
  const only = take(words, '--only') ?? 'manifest';
  const each = take(words, '--each');
  if (!levels.includes(only) || words.some((word) => word.startsWith('-')) || words.length > (each ? 0 : 2)) {
    console.error(`usage: npm run same-bundle -- [BASE [HEAD] | --each BASE] [--only ${levels.join('|')}]`);
    return 2;
  }
  const pairs = each ? titledSince(each) : [[words[0] ?? 'HEAD', words[1] ?? null]];
  if (pairs.length === 0) console.log(`no commit since ${each} is titled [same bundle]`);
  let differing = 0;
  for (const [base, head] of pairs) {
    const [a, b] = [await digestsOf(base), await digestsOf(head)];
    const found = differences(a, b, levels.indexOf(only));
    const label = `${base} .. ${head ?? 'working tree'}`;
    for (const line of found.lines) console.log(`  ${line}`);
    console.log(`${label}: ${found.compared} bundles compared by ${only}, ${found.lines.length} differ`);
    differing += found.lines.length;
  }
  return differing > 0 ? 1 : 0;
}

function take(words, option) {
  const at = words.indexOf(option);
  return at < 0 ? null : words.splice(at, 2)[1];
}

/** Commits since `base` that say that they change no bundle, each behind its parent. */
function titledSince(base) {
  const log = git('log', '--reverse', '--no-merges', '--format=%h %s', `${base}..HEAD`);
  const commits = log.split('\n').filter((line) => /^\w+ \[same bundle\]/.test(line));
  return commits.map((line) => line.split(' ')[0]).map((hash) => [`${hash}^`, hash]);
}

/** A line for each bundle that is not the same; graphs that one state alone has are none. */
function differences(a, b, level) {
  const both = Object.keys(a).filter((name) => name in b);
  const lines = both.flatMap((name) => {
    const at = levels.findIndex((key, i) => i <= level && a[name][key] !== b[name][key]);
    if (at < 0) return [];
    const errors = [a[name].error, b[name].error].map((e) => e && `cannot be compiled: ${e}`);
    return [`${name}: ${errors.find(Boolean) ?? `other ${levels[at]}`}`];
  });
  return { compared: both.length, lines };
}

/** The digests of a commit, or of the working tree for null. Those of a commit are kept for the next call. */
async function digestsOf(commit) {
  if (commit === null) return inFolder(root);
  const tree = git('rev-parse', `${commit}^{tree}`);
  const self = createHash('sha256')
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .digest('hex');
  const cache = join(tmpdir(), 'unetc-same-bundle');
  const kept = join(cache, `${tree}-${self.slice(0, 12)}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8'));
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'tree-'));
  try {
    const archive = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: 2 ** 30 });
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    const lock = (at) => readFileSync(join(at, 'package-lock.json'), 'utf8');
    if (lock(folder) === lock(root)) symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    else
      execFileSync('npm', ['ci', '--include=dev', '--loglevel=error'], {
        cwd: folder,
        stdio: ['ignore', 2, 2],
      });
    const digests = await inFolder(folder);
    writeFileSync(`${kept}.${process.pid}`, JSON.stringify(digests));
    renameSync(`${kept}.${process.pid}`, kept);
    return digests;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds a state and compiles its graphs, in two processes, each with every second graph. */
async function inFolder(folder) {
  try {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: folder, stdio: ['ignore', 2, 2] });
  } catch {
    console.error('the state cannot be built; see the messages above');
    process.exit(2);
  }
  const halves = await Promise.all(['0', '1'].map((half) => compileHalf(folder, half)));
  return Object.assign({}, ...halves);
}

function compileHalf(folder, half) {
  const words = [fileURLToPath(import.meta.url), '--digests', half];
  const child = spawn(process.execPath, words, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const parts = [];
  child.stdout.on('data', (part) => parts.push(part));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done(JSON.parse(Buffer.concat(parts).toString()));
      else fail(new Error(`compiling the graphs of ${folder} ended with ${code}`));
    });
  });
}

/** In the folder of a state: prints the digests of every second bundle as JSON. */
async function printDigests(half) {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const { compile } = await import(pathToFileURL(resolve(exports['.'].default)).href);
  const digests = {};
  graphsHere().forEach(([graphName, graph], i) => {
    if (i % 2 !== Number(half)) return;
    for (const target of ['generic', 'nvidia', 'software']) {
      for (const precision of ['f32', 'f16']) {
        const bundleOf = (options) =>
          digestsOfBundle(() => compile(graph, { target, precision, ...options }));
        const name = `${graphName} ${target} ${precision}`;
        const plain = bundleOf({});
        digests[name] = plain.digests;
        digests[`${name} strict`] = bundleOf({ strict: true }).digests;
        digests[`${name} taps batch 3`] = bundleOf({ taps: true, batch: 3 }).digests;
        const memory = Math.round(plain.bytes * 0.6);
        if (memory > 0) digests[`${name} memory`] = bundleOf({ memory }).digests;
      }
    }
  });
  process.stdout.write(JSON.stringify(digests));
}

/** The graphs of a state by name: paths of the published ones, and the golden cases as objects. */
function graphsHere() {
  const published = readdirSync('graphs').filter((name) => /(?<!schema)\.json$/.test(name));
  const cases = readdirSync('test/golden')
    .map((name) => `test/golden/${name}/case.json`)
    .filter(existsSync);
  const golden = cases.map((file) => [file, goldenGraph(JSON.parse(readFileSync(file, 'utf8')))]);
  return [...published.map((name) => [`graphs/${name}`, `graphs/${name}`]), ...golden].filter(
    ([, graph]) => graph,
  );
}

/** A golden case of a forward pass as a graph: what the original's constructor was called with. Null for other cases. */
function goldenGraph({ name, kwargs, upsample, inputs }) {
  if (!kwargs?.model_channels || !inputs?.x) return null;
  const unet = { ...kwargs, ...(upsample && { upsample: upsample.replace('-', '_') }) };
  const low = inputs.low_res && { super_resolution: { low_res_size: inputs.low_res.slice(2) } };
  return { version: 1, name, image_size: inputs.x.slice(2), unet, ...low };
}

/** The digests of a bundle at each level, and the bytes it takes on a device. */
function digestsOfBundle(make) {
  try {
    const { manifest, kernels } = make();
    const { weights, activations } = manifest.memory;
    const texts = manifest.kernels.map(({ file }) => digest(kernels.get(file)));
    const dispatches = manifest.dispatches.map(({ kernel, sizes, workgroups }) => [
      texts[kernel],
      sizes,
      workgroups,
    ]);
    return {
      bytes: weights + activations,
      digests: {
        kernels: digest(texts.toSorted()),
        dispatches: digest(dispatches),
        manifest: digest(manifest),
      },
    };
  } catch (error) {
    // A state may name options as the command line does, or as the API.
    const message = (error instanceof Error ? error.message : String(error)).replaceAll(/--(?=[a-z])/g, '');
    return {
      bytes: 0,
      digests: { kernels: message, dispatches: message, manifest: message, error: message },
    };
  }
}

function digest(value) {
  return createHash('sha256')
    .update(typeof value === 'string' ? value : JSON.stringify(value))
    .digest('hex');
}

function git(...words) {
  return execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();
}
