// The house keeps its order: who may import whom, no cycles, hosts at the edge of the runtime, tables alone
// in index.ts, files that say what they are responsible for.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Left to right: a folder imports only from itself and from folders to its left. */
const compilerOrder = [
  'diagnostics',
  'shipped',
  'target',
  'precision',
  'ops',
  'opgraph',
  'format',
  'layers',
  'families',
  'spec',
  'graph',
  'passes',
  'schedule',
  'memory',
  'codegen',
  'fit-memory',
  'fit-training',
  'compile',
];

/** Folders beside that line, with all they may import of the compiler. */
const besides: Readonly<Record<string, readonly string[]>> = {
  import: ['diagnostics', 'target', 'ops', 'opgraph', 'format', 'layers', 'families', 'spec', 'graph'],
  export: ['diagnostics', 'target', 'ops', 'opgraph'],
  diff: ['diagnostics', 'target', 'precision', 'format', 'layers', 'families', 'spec', 'graph', 'schedule'],
};

/** The same of the engine, which may import all of the compiler and the runtime. */
const engineOrder = [
  'errors',
  'close-all',
  'host',
  'package',
  'statistics',
  'digest',
  'plot',
  'graph',
  'expected',
  'compile',
  'checkpoint',
  'model',
  'graph-input',
  'options',
  'data',
  'diff',
  'profile',
  'tuning',
  'web',
  'jobs',
  'training',
  'drift',
  'evaluation',
  'gradients',
  'tools',
  'api',
];

/** Tables of ops, layers, families, passes, fusions, kernels, samplers: nothing else is called index.ts. */
const tables =
  /^(compiler\/(ops|layers|families|passes|schedule|codegen)(\/[a-z_-]+)?|runtime\/sampler\/samplers)\/index\.ts$/;

interface Import {
  readonly from: string;
  /** A path from the root for files of ours, else the specifier. */
  readonly to: string;
  /** Erased by the compiler. */
  readonly typeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.split(sep).join('/')}`)
    .sort();
}

function importsOf(file: string): Import[] {
  // Comments may quote import statements.
  const text = readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
  const pattern =
    /(?:^|[;\n])\s*(?:import|export)\s+(?:(type)\s)?(?:[\w*{}\s,$]*?\sfrom\s+)?'([^'\n]+)'|import\(\s*'([^']+)'\s*\)/g;
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? '';
    const to = specifier.startsWith('.') ? posix.join(dirname(file), specifier) : specifier;
    return { from: file, to, typeOnly: match[1] === 'type' };
  });
}

const files = ['compiler', 'runtime', 'web', 'engine', 'cli'].flatMap(sources);
const imports = files.flatMap(importsOf);
const describeImport = ({ from, to }: Import) => `${from} -> ${to}`;

/** `compiler/graph/build.ts` -> `graph`, `compiler/target.ts` -> `target`. */
function layer(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '');
}

describe('layering', () => {
  test('the scan sees imports', () => {
    expect(imports).toContainEqual({ from: 'cli/exit.ts', to: 'runtime/errors.ts', typeOnly: false });
    expect(imports).toContainEqual({ from: 'cli/program.ts', to: 'cli/context.ts', typeOnly: true });
    expect(imports).toContainEqual({ from: 'runtime/host/node/dawn.ts', to: 'webgpu', typeOnly: false });
  });

  test('relative imports name a file that exists, with its ending', () => {
    const broken = imports.filter(
      ({ to }) => /^(compiler|runtime|web|engine|cli)\//.test(to) && !files.includes(to),
    );
    expect(broken.map(describeImport)).toEqual([]);
  });

  test('every folder of the compiler has its place in the order', () => {
    const known = [...compilerOrder, ...Object.keys(besides)];
    const unknown = files.filter((file) => file.startsWith('compiler/') && !known.includes(layer(file)));
    expect(unknown).toEqual([]);
  });

  test('compiler folders import only from their left, and of runtime only the bundle', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (!from.startsWith('compiler/')) return false;
      if (/^(web|engine|cli)\//.test(to)) return true;
      if (to.startsWith('runtime/')) return to !== 'runtime/bundle.ts';
      if (!to.startsWith('compiler/')) return false;
      const [here, there] = [layer(from), layer(to)];
      if (here === there) return false;
      const beside = besides[here];
      if (beside) return !beside.includes(there);
      return compilerOrder.indexOf(there) < 0 || compilerOrder.indexOf(there) > compilerOrder.indexOf(here);
    });
    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('every file of the engine has its place in the order, and imports only from its left', () => {
    const inEngine = files.filter((file) => file.startsWith('engine/'));
    expect(inEngine.filter((file) => !engineOrder.includes(layer(file)))).toEqual([]);
    const wrong = imports.filter(({ from, to }) => {
      if (!from.startsWith('engine/')) return false;
      if (to.startsWith('cli/')) return true;
      return to.startsWith('engine/') && engineOrder.indexOf(layer(to)) > engineOrder.indexOf(layer(from));
    });
    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('runtime imports nothing of the compiler, the engine or the command line', () => {
    const wrong = imports.filter(
      ({ from, to }) => from.startsWith('runtime/') && /^(compiler|web|engine|cli)\//.test(to),
    );
    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('a page imports the runtime alone, and no module of Node', () => {
    const wrong = imports.filter(({ from, to }) => from.startsWith('web/') && !/^(runtime|web)\//.test(to));
    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('hosts are at the edge of the runtime: its other files know none of them, and no host another', () => {
    const host = (file: string) => /^runtime\/host\/(\w+)\//.exec(file)?.[1] ?? null;
    const wrong = imports.filter(
      ({ from, to }) =>
        from.startsWith('runtime/') &&
        from !== 'runtime/runtime.ts' &&
        host(to) !== null &&
        host(from) !== host(to),
    );
    expect(wrong.map(describeImport)).toEqual([]);
  });

  test('no import cycles, those of types included', () => {
    const edges = new Map(files.map((file): [string, string[]] => [file, []]));
    for (const { from, to } of imports) edges.get(from)?.push(...(edges.has(to) ? [to] : []));
    expect(findCycle(edges)).toEqual([]);
  });

  test('only tables are called index.ts', () => {
    const others = files.filter((file) => file.endsWith('/index.ts') && !tables.test(file));
    expect(others).toEqual([]);
  });
});

describe('files', () => {
  test('begin with what they are responsible for', () => {
    const silent = files.filter((file) => {
      const text = readFileSync(join(root, file), 'utf8').replace(/^#!.*\n/, '');
      return !/^\/\/ \S/.test(text);
    });
    expect(silent).toEqual([]);
  });

  test('hold one thought: no more than 300 lines', () => {
    const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 301);
    expect(long).toEqual([]);
  });

  test('speak of the project alone', () => {
    const outside = /\.\.\/shared\/|(^|[\s'"`])\/work\//m;
    const told = [...files, ...sources('test'), 'README.md'].filter(
      (file) => file !== 'test/layering.test.ts' && outside.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(told).toEqual([]);
  });
});

/** The files along one cycle, the first repeated at its end; empty where there is none. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of edges.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
