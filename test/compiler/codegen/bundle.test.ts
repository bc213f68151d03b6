// Bundles are deterministic to the byte.

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CompileOptions, compileGraph } from '../../../compiler/compile.ts';
import { printExplicit, toExplicit } from '../../../compiler/graph/explicit.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { TARGETS } from '../../../compiler/target.ts';
import { type Bundle, formatManifest, sha256 } from '../../../runtime/bundle.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { compactGraphUpTo } from '../../arbitrary-graph.ts';
import { goldenGraph } from '../../golden-cases.ts';

/** Everything that is written of a bundle. */
function bytesOf({ manifest, kernels }: Bundle): string {
  return [formatManifest(manifest), ...[...kernels].flat()].join('\0');
}

function compileText(text: string, options: CompileOptions = {}): string {
  return bytesOf(compileGraph(loadGraph(text, 'a').graph, options).bundle);
}

test('a graph gives the same bytes twice, and in both of its forms', () => {
  const specs = fc.oneof(compactGraphUpTo(8), arbitraryExplicitGraph);
  fc.assert(
    fc.property(specs, fc.constantFrom(...TARGETS), fc.boolean(), (spec, target, taps) => {
      const compact = JSON.stringify(spec);
      const explicit = printExplicit(toExplicit(loadGraph(compact, 'a').graph));
      const bytes = compileText(compact, { target, taps });
      expect(compileText(compact, { target, taps })).toBe(bytes);
      expect(compileText(explicit, { target, taps })).toBe(bytes);
    }),
    { numRuns: 25 },
  );
});

test('the graph that a bundle carries compiles to that bundle', () => {
  const text = goldenGraph('tiny-superres');
  const { bundle } = compileGraph(loadGraph(text, 'a').graph);
  expect(compileText(JSON.stringify(bundle.manifest.graph))).toBe(bytesOf(bundle));
});

test('nothing in the compiler asks for a locale, a time, chance or the environment', () => {
  const asks = /toLocale|localeCompare|Intl\.|new Date|Date\.now|performance\.|Math\.random|process\.|hrtime/;
  const root = new URL('../../../compiler/', import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((file) => asks.test(readFileSync(new URL(file, root), 'utf8')))).toEqual([]);
});

test('kernels are named by their source and hash, in order of first use', async () => {
  const { manifest, kernels } = compileGraph(loadGraph(goldenGraph('tiny-film'), 'a').graph).bundle;
  expect(manifest.kernels.map((k) => k.file)).toEqual([...kernels.keys()]);
  for (const { file, sha256: hash } of manifest.kernels) {
    expect(hash).toBe(await sha256(kernels.get(file)!));
    expect(file).toMatch(new RegExp(`^[a-z_]+-${hash.slice(0, 8)}\\.wgsl$`));
  }
  const used = manifest.dispatches.map((d) => d.kernel);
  expect([...new Set(used)]).toEqual(manifest.kernels.map((_, i) => i));
});

/** A name of a buffer's declaration, by the number of its binding. */
const DECLARED = /@group\(0\) @binding\((\d+)\) var(?:<storage, \w+>)? \w+: ([^;]+);/g;

test.each([
  'tiny-film',
  'tiny-superres',
  'tiny-heads-up',
  'adm/updown',
  'adm/classifier-attention',
  'diffusers/ddpm',
])('bindings of %s say float16 where kernels declare it, and nowhere else', (name) => {
  const { graph } = loadGraph(goldenGraph(name), name);
  for (const target of TARGETS) {
    for (const precision of ['f32', 'f16'] as const) {
      const gradient = graph.pool !== null;
      const { manifest, kernels } = compileGraph(graph, { target, precision, gradient }).bundle;
      const labels = new Set(manifest.inputs.flatMap(({ dtype, slot }) => (dtype === 'u32' ? [slot] : [])));
      const said: string[] = [];
      const declared: string[] = [];
      for (const [i, { kernel, bindings }] of manifest.dispatches.entries()) {
        const text = kernels.get(manifest.kernels[kernel]!.file)!;
        const types = new Map([...text.matchAll(DECLARED)].map(([, at, type]) => [Number(at), type!]));
        for (const [k, binding] of bindings.entries()) {
          if (binding.kind === 'weights') continue;
          const type = types.get(k + 1);
          if (binding.dtype === 'f16') said.push(`${i}.${k}`);
          // labels are whole numbers, and words, too
          const words = type === 'array<u32>' && !labels.has(binding.slot);
          if (type === 'array<vec2u>' || words) declared.push(`${i}.${k}`);
        }
      }
      expect(said, `${target.name} ${precision}`).toEqual(declared);
      expect(said.length > 0, `${target.name} ${precision}`).toBe(precision === 'f16');
    }
  }
});
