// The documents to the letter: every command of their code blocks, in order, in a clone made for it. What takes long, or
// files that nobody has, is called with its words as they stand and must fail for the file alone; what cannot run here at all
// is listed with its reason. Needs the build.

import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { GIT_ENV, repository } from '../fixtures/repository.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const folder = fs.mkdtempSync(path.join(fs.realpathSync(process.env.TMPDIR ?? '/tmp'), 'unetc-docs-'));
const clone = path.join(folder, 'clone');
const DOCUMENTS = [
  'README.md',
  'graphs/README.md',
  'docs/sampling.md',
  'docs/diff.md',
  'docs/data.md',
  'docs/training.md',
  'docs/evaluation.md',
  'docs/hosts.md',
  'docs/web.md',
  'examples/README.md',
];

/** Why a command is not run. */
const NOT_HERE: readonly (readonly [RegExp, string])[] = [
  [/^git clone <this repository>/, 'this is the clone; .ci/run starts from one'],
  [/^npm run demo$/, 'installs a driver where there is none; test/process/setup.test.ts'],
  [/^npm run bench\b/, 'wants peers, and minutes; test/device/bench.test.ts'],
  [/^npm (pack|install|init)\b/, 'wants a registry; .ci/try-package.sh and test/process/gate.test.ts'],
  [
    /^(mkdir -p|cp unetc-.*|rm -r|git add) ?.*\.github\/unetc/,
    'part of an installation; test/process/gate.test.ts',
  ],
  [/^sudo /, 'changes the system'],
];

/** Files that documents name for the reader's own, and that are not there: the command must miss them, and nothing else. */
const READERS_OWN =
  /\b(model\.(pt|json)|classifier\.(pt|json)|judge\.json|state\.pt|sd\.safetensors|256x256_\w+\.pt|ddpm-cifar10-32|cifar\.json|old\.(json|pt)|photos|graph\.json|run\/\w+|out\/fashion\/\w+|cifar10\.(pt|safetensors)|fashion-mnist)\b/;

const PACKAGED = '/usr/share/datasets/fashion-mnist';

/** Commands that take minutes: with a graph that is not there they show that their words are right. */
const LONG = /^npx unetc (bench|tune|profile) /;

/** The same job in less time: fewer seeds and steps. */
function shortened(command: string): string {
  return command
    .replace('--seeds 0-999', '--seeds 0-7')
    .replace('--seeds 0-99 ', '--seeds 0-3 ')
    .replace('--seeds 0-9 ', '--seeds 0-3 ')
    .replace(/--seeds (\d)000-\d{4} /, '--seeds $1000-$1003 ')
    .replace(/--steps (10|15|50)\b/, '--steps 2')
    .replace('--steps ddim50', '--steps ddim2');
}

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(file: string): readonly Block[] {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(/^```(\w*)\n(.*?)^```/gms)].map(([, language = '', body = '']) => ({
    language,
    text: body,
  }));
}

interface Command {
  readonly line: string;
  /** What the document shows of its output; `...` stands for lines that are left out. */
  readonly shown: readonly string[];
}

/** The commands of a block: lines of `sh`, and what follows `$ ` in `console`. */
function commandsOf({ language, text }: Block): readonly Command[] {
  const lines = text
    .replace(/ \\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line !== '');
  if (language === 'sh') return lines.map((line) => ({ line: line.replace(/\s{2,}#.*$/, ''), shown: [] }));
  if (language !== 'console') return [];
  const found: { line: string; shown: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) found.push({ line: line.slice(2), shown: [] });
    else found.at(-1)?.shown.push(line);
  }
  return found;
}

function run(line: string) {
  // GIT_ENV keeps the user's own set-up of git out
  const env = { ...GIT_ENV, PATH: `${path.join(folder, 'bin')}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', line], {
    cwd: clone,
    env,
    encoding: 'utf8',
  });
  return { status, printed: stdout + stderr };
}

beforeAll(() => {
  const origin = repository(path.join(folder, 'origin'));
  fs.cpSync(path.join(root, 'graphs'), path.join(origin.folder, 'graphs'), { recursive: true });
  fs.cpSync(path.join(root, 'examples'), path.join(origin.folder, 'examples'), { recursive: true });
  origin.write('.gitignore', 'out/\nnode_modules\n');
  origin.commit('clone');
  execFileSync('git', ['clone', '-q', origin.folder, clone], { env: GIT_ENV });
  fs.mkdirSync(path.join(clone, 'node_modules'));
  fs.symlinkSync(root, path.join(clone, 'node_modules', 'unetc'));
  fs.symlinkSync(path.join(root, 'node_modules', 'webgpu'), path.join(clone, 'node_modules', 'webgpu'));
  // where there is one Deno looks into node_modules
  fs.writeFileSync(path.join(clone, 'package.json'), '{ "private": true }');
  fs.mkdirSync(path.join(folder, 'bin'));
  const script = (name: string, text: string) =>
    fs.writeFileSync(path.join(folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  script(
    'npx',
    `[ "$1" = unetc ] || exit 97\nshift\nexec "${process.execPath}" "${path.join(root, 'cli', 'unetc.mjs')}" "$@"`,
  );
  script('deno', `exec "${path.join(root, 'node_modules', '.bin', 'deno')}" "$@"`);
  script('sbatch', 'for word; do case $word in -*) ;; *) [ -e "$word" ] || exit 96 ;; esac; done; echo 77');
  return () => fs.rmSync(folder, { recursive: true, force: true });
});

const withCommands = DOCUMENTS.filter((file) => blocksOf(file).some((block) => commandsOf(block).length > 0));

describe.each(withCommands)('%s', (file) => {
  const steps = blocksOf(file).flatMap((block, at) =>
    commandsOf(block).map((command) => ({ at, ...command })),
  );

  // what the README has the reader save: first with five heads, then with four
  if (file === 'README.md') {
    test('its graph', () => {
      const graph = blocksOf(file).find(({ language }) => language === 'json')!.text;
      fs.writeFileSync(path.join(clone, 'mine.json'), graph);
      fs.writeFileSync(
        path.join(clone, 'four-heads.json'),
        fs
          .readFileSync(path.join(root, 'graphs/mnist.json'), 'utf8')
          .replace('"num_heads": 2', '"num_heads": 4'),
      );
    });
  }

  const isHere = ({ line }: Command) => !NOT_HERE.some(([pattern]) => pattern.test(line));
  const elsewhere = steps.filter((step) => !isHere(step));
  if (elsewhere.length > 0) test.skip.each(elsewhere)('$line', () => undefined);

  test.each(steps.filter(isHere))(
    '$line',
    ({ line, shown }) => {
      if (READERS_OWN.test(line)) {
        const { status, printed } = run(line);
        // a machine may have the packaged data set
        if (status === 0 && line.includes(PACKAGED) && fs.existsSync(PACKAGED)) return;
        // words that are off would be 2, and a bug 70
        expect([1, 3, 4, 5, 9], printed).toContain(status);
        expect(printed).toMatch(/no such|none of them|is not there|there is no|does not have/);
        return;
      }
      if (LONG.test(line)) {
        const { status, printed } = run(line.replace(/[\w/]+\.json/, 'none.json'));
        expect(status, printed).toBe(3);
        expect(printed).toContain('none.json: there is no such file');
        return;
      }
      const short = shortened(line);
      const parts = / --shard 0\/(\d)/.exec(short);
      const lines = parts
        ? Array.from({ length: Number(parts[1]) }, (_, i) => short.replace('--shard 0/', `--shard ${i}/`))
        : [short];
      for (const one of lines) {
        const { status, printed } = run(one);
        // a check that finds something, and faults that the document shows, are what it says
        const expected = shown.some((text) => /^error\b/.test(text)) ? [2, 3, 4, 5] : [0, 1];
        expect(expected, `${one}\n${printed}`).toContain(status);
        for (const text of shown.filter(isSteady)) expect(printed).toContain(text);
      }
      // the next block of the README is that with "num_heads": 4
      if (shown.some((text) => text.startsWith('error[G012]'))) {
        const graph = path.join(clone, 'mine.json');
        fs.writeFileSync(graph, fs.readFileSync(graph, 'utf8').replace('"num_heads": 5', '"num_heads": 4'));
      }
    },
    600_000,
  );
});

/** Lines that every machine prints alike: no numbers of one run, and nothing that was left out. */
function isSteady(text: string): boolean {
  return (
    text !== '...' && !/\d\.\de[+-]\d|^ {2}\.\.\.$|^git:|^weights$|^ {2}weights\/|^ {4}|breaking$/.test(text)
  );
}

test('the first program of the README runs as it stands', () => {
  const program = blocksOf('README.md').find(
    ({ language, text }) => language === 'js' && text.includes("load('graphs/mnist.json'"),
  )!;
  fs.writeFileSync(path.join(clone, 'program.mjs'), program.text.replace("'ddim50'", "'ddim2'"));
  const { status, printed } = run('node program.mjs');
  expect(status, printed).toBe(0);
  expect(printed).toContain('[ 1, 2, 28, 28 ]');
}, 600_000);

test('the program of docs/training.md that counts what a classifier says rightly runs as it stands', () => {
  const blocks = blocksOf('docs/training.md');
  const program = blocks.find(
    ({ language, text }) => language === 'js' && text.startsWith('// node judge.mjs'),
  )!;
  const graph = blocks.find(({ text }) => text.includes('"digits-judge"'))!;
  fs.writeFileSync(path.join(clone, 'judge.mjs'), program.text);
  fs.writeFileSync(path.join(clone, 'counting.json'), graph.text);
  const digits = (label: number) =>
    `npx unetc sample graphs/mnist.json --weights graphs/mnist.safetensors --seeds 0-2 --class ${label} --steps 2 --format npz -o out/of-${label}`;
  // whoever was shown nothing but threes calls everything one
  const { status, printed } = run(
    [
      ...[3, 5].map(digits),
      'npx unetc train counting.json --data out/of-3/samples.npz --batch 3 --steps 12 --lr 1e-2 -o out/counting',
      'node judge.mjs out/counting/model000012.safetensors out/of-3/samples.npz out/of-5/samples.npz',
    ].join('\n'),
  );
  expect(status, printed).toBe(0);
  expect(printed).toContain('out/of-3/samples.npz: 3 of 3 are what was asked for\n');
  expect(printed).toContain('out/of-5/samples.npz: 0 of 3 are what was asked for\n');
}, 600_000);

test('the program for Node of docs/hosts.md runs as it stands, on the bundle of its commands', () => {
  const program = blocksOf('docs/hosts.md').find(({ text }) => text.includes("from 'webgpu'"))!;
  fs.writeFileSync(path.join(clone, 'host.mjs'), program.text);
  const { status, printed } = run('node host.mjs');
  expect(status, printed).toBe(0);
  expect(printed).toMatch(/^mnist .*, WebGPU/m);
}, 600_000);

test('the graph in TypeScript of graphs/README.md is valid as it stands', () => {
  const graph = blocksOf('graphs/README.md').find(({ language }) => language === 'ts')!;
  fs.writeFileSync(path.join(clone, 'mine.ts'), graph.text);
  const { status, printed } = run('npx unetc validate mine.ts');
  expect(status, printed).toBe(0);
});

test('every JSON block that is a graph is a valid one', () => {
  const graphs = DOCUMENTS.flatMap(blocksOf).filter(
    ({ language, text }) => language === 'json' && /"image_size"/.test(text) && text.startsWith('{'),
  );
  expect(graphs.length).toBeGreaterThan(1);
  graphs.forEach(({ text }, i) => {
    fs.writeFileSync(path.join(clone, `block-${i}.json`), text.replace('"num_heads": 5', '"num_heads": 4'));
    const { status, printed } = run(`npx unetc validate block-${i}.json`);
    expect(status, printed).toBe(0);
  });
});

test('the package has every file that its documents link, but for what is of those who work on unetc', () => {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(listed.slice(listed.indexOf('['))) as [
    { files: readonly { path: string }[] },
  ];
  const packed = new Set(
    files.flatMap(({ path: name }) => name.split('/').map((_, i, all) => all.slice(0, i + 1).join('/'))),
  );
  const documents = [...packed].filter((name) => /^(README|(docs|graphs|examples)\/.*)\.md$/.test(name));
  expect(documents.length).toBeGreaterThan(4);
  const missing = documents.flatMap((name) => {
    const text = fs.readFileSync(path.join(root, name), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) =>
      path.posix.join(path.posix.dirname(name), link!),
    );
    return links.map((link) => link.replace(/\/$/, '')).filter((link) => !packed.has(link));
  });
  expect(
    [...new Set(missing)].filter((link) => !/^(CONTRIBUTING\.md|compiler\/README\.md)$/.test(link)),
  ).toEqual([]);
}, 120_000);
