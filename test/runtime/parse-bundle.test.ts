// A bundle is checked whole when it is read: any change of it is an error with a place, never a crash.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { SOFTWARE } from '../../compiler/target.ts';
import { type Bundle, digestedText, formatManifest, sha256 } from '../../runtime/bundle.ts';
import { parseBundle } from '../../runtime/parse-bundle.ts';
import { goldenGraph } from '../golden-cases.ts';

const { graph } = loadGraph(goldenGraph('tiny-superres'), 'tiny-superres');
const bundle = compileGraph(graph, { taps: true, target: SOFTWARE }).bundle;
const text = formatManifest(bundle.manifest);

const read = (manifest: string, kernels: ReadonlyMap<string, string> = bundle.kernels): Promise<Bundle> =>
  parseBundle(manifest, (file) => kernels.get(file), 'the bundle');

/** What reading says about a manifest, or null where it passes. */
async function faultOf(manifest: string): Promise<string | null> {
  try {
    await read(manifest);
    return null;
  } catch (error) {
    expect(error).toMatchObject({ name: 'RuntimeError', kind: 'bundle' });
    return (error as Error).message;
  }
}

/** The text of a changed manifest with its digest put right, so that the other checks have to find the change. */
async function sealed(manifest: Mutable): Promise<string> {
  return JSON.stringify({ ...manifest, sha256: await sha256(digestedText(manifest)) });
}

type Mutable = ReturnType<typeof JSON.parse>;

describe('a bundle as it was written', () => {
  test('is read back as it was', async () => {
    const found = await read(text);
    expect(found.manifest).toEqual(bundle.manifest);
    expect([...found.kernels]).toEqual([...bundle.kernels]);
  });

  test('may be indented otherwise, with its keys in another order', async () => {
    const entries = Object.entries(JSON.parse(text) as object).reverse();
    const found = await read(JSON.stringify(Object.fromEntries(entries), null, 4));
    expect(found.manifest).toEqual(bundle.manifest);
  });
});

/** Paths of all values of a JSON document. */
function pathsOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item, i) => [i, item])
    : Object.entries(value);
  return [path, ...entries.flatMap(([key, item]) => pathsOf(item, [...path, key]))];
}

const document: Mutable = JSON.parse(text);
const paths = pathsOf(document).filter((path) => path.length > 0);

type Edit = { readonly kind: 'set'; readonly value: unknown } | { readonly kind: 'delete' | 'duplicate' };

const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    1,
    0.5,
    1e21,
    2 ** 31,
    '',
    '../../etc/passwd',
    [],
    {},
    [[]],
    '__proto__',
  ),
  fc.nat(),
  fc.string(),
  fc.jsonValue(),
);

const edits: fc.Arbitrary<Edit> = fc.oneof(
  values.map((value): Edit => ({ kind: 'set', value })),
  fc.constantFrom<Edit>({ kind: 'delete' }, { kind: 'duplicate' }),
);

/** The document with one value changed, dropped or doubled. */
function edited(path: readonly (string | number)[], edit: Edit): Mutable {
  const copy = structuredClone(document);
  const parent = path.slice(0, -1).reduce<Mutable>((node, key) => node[key], copy);
  const key = path.at(-1)!;
  if (edit.kind === 'set') parent[key] = edit.value;
  else if (Array.isArray(parent))
    parent.splice(Number(key), edit.kind === 'delete' ? 1 : 0, parent[Number(key)]);
  else if (edit.kind === 'delete') delete parent[key];
  else parent[`${key}2`] = parent[key];
  return copy;
}

describe('any change of a manifest', () => {
  test('is an error, or changes nothing', async () => {
    const property = fc.asyncProperty(fc.constantFrom(...paths), edits, async (path, edit) => {
      const changedText = JSON.stringify(edited(path, edit));
      if ((await faultOf(changedText)) !== null) return;
      expect((await read(changedText)).manifest).toEqual(bundle.manifest);
    });
    await fc.assert(property, { numRuns: 120 });
  });

  test('is no crash where the digest was put right, and what passes says what was written', async () => {
    const property = fc.asyncProperty(fc.constantFrom(...paths), edits, async (path, edit) => {
      if (path[0] === 'sha256') return;
      const changedText = await sealed(edited(path, edit));
      if ((await faultOf(changedText)) !== null) return;
      expect((await read(changedText)).manifest).toEqual(JSON.parse(changedText));
    });
    await fc.assert(property, { numRuns: 120 });
  });

  test('of its bytes too', async () => {
    const property = fc.asyncProperty(
      fc.nat(text.length - 1),
      fc.string({ maxLength: 3 }),
      async (at, put) => {
        const changedText = text.slice(0, at) + put + text.slice(at + 1);
        if ((await faultOf(changedText)) !== null) return;
        expect((await read(changedText)).manifest).toEqual(bundle.manifest);
      },
    );
    await fc.assert(property, { numRuns: 120 });
  });
});

describe('each fault has its place', () => {
  const { inputs, parameters, weights, dispatches } = bundle.manifest;
  const buffered = weights.findIndex((blob) => blob.arena !== null);
  const reading = dispatches.findIndex((d) => d.bindings[0]!.kind === 'slot');
  const written = dispatches[reading]!.bindings.find((b) => b.kind === 'slot' && b.access === 'read_write');
  const slot = written?.kind === 'slot' ? written.slot : -1;
  const weighted = dispatches.findIndex((d) => d.bindings[0]!.kind === 'weights');
  const last = parameters.at(-1)!;

  const x = inputs.findIndex(({ name }) => name === 'x');
  const timesteps = inputs.findIndex(({ name }) => name === 'timesteps');

  const cases: readonly (readonly [path: string, value: unknown, message: RegExp])[] = [
    [`inputs.${x}.slot`, 999, /\/inputs\/0: slot 999 does not exist/],
    [`inputs.${timesteps}.dim`, 40_000_000, /\/inputs\/1: needs 160000000 bytes/],
    [`slots.${inputs[x]!.slot}.bytes`, 16, /\/inputs\/0: needs \d+ bytes, slot \d+ has 16/],
    [`slots.${inputs[x]!.slot}.storage`, 'texture', /\/inputs\/0: slot \d+ is a texture/],
    [`inputs.${x}.slot`, inputs[timesteps]!.slot, /\/inputs\/1: slot \d+ is that of input x, too/],
    [`inputs.${x}.name`, 'timesteps', /\/inputs\/1\/name: a second port called timesteps/],
    [`inputs.${x}.name`, '__proto__', /\/inputs\/0\/name: /],
    [`inputs.${x}.encoding`, 'timestep', /\/inputs\/0/],
    ['batch', 2, /\/batch: x is for 1 samples, expected 2/],
    ['batch', '1', /manifest\.json:\/batch: /],
    ['outputs', [], /\/outputs: no pass gives anything/],
    ['outputs.1.name', 'output', /\/outputs\/1\/name: a second port called output/],
    ['parameters.0.name', last.name, /\/parameters: two parameters of one name/],
    [
      `parameters.${parameters.length - 1}.shape`,
      [...last.shape, 7],
      /has \d+ elements, the part places \d+/,
    ],
    [`weights.${buffered}.arena`, 99, /\/weights\/\d+\/arena: arena 99 does not exist/],
    [`weights.${buffered}.offset`, 4, /\/offset: 4 is no multiple of 256/],
    [`weights.${buffered}.offset`, 2 ** 40, /ends at byte \d+ of an arena of \d+/],
    [`weights.${buffered}.parts.0.param`, 'no', /no parameter is called no/],
    [`weights.${buffered}.parts.0.offset`, 10 ** 9, /ends at word \d+ of \d+/],
    ['kernels.0.file', '../x.wgsl', /"\.\.\/x\.wgsl" is no plain \.wgsl file name/],
    ['dispatches.3.kernel', 77, /\/dispatches\/3\/kernel: kernel 77 does not exist/],
    ['dispatches.3.workgroups.0', 65536, /\/dispatches\/3\/workgroups: more than 65535/],
    ['dispatches.3.sizes', [1], /\/dispatches\/3\/sizes: not whole vectors/],
    [`dispatches.${weighted}.bindings.0.weights`, 999, /weights 999 do not exist/],
    [`dispatches.${reading}.bindings.0.slot`, slot, /slot \d+ is both read and written/],
    ['extra', 1, /extra/],
    [`weights.${buffered}.filled`, 'dispatch', /\/filled: filled by the dispatch with \d+ parts/],
    [
      `dispatches.${weighted}.bindings.0.access`,
      'read_write',
      /are filled by the host, no dispatch writes them/,
    ],
    ['diffusion.noise_schedule', 'sigmoid', /\/diffusion\/noise_schedule: /],
  ];
  test.each(cases)('%s = %j', async (path, value, message) => {
    const keys = path.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
    expect(await faultOf(await sealed(edited(keys, { kind: 'set', value })))).toMatch(message);
  });

  test.each([
    [2, 'unetc 0.1.0'],
    [4, 'a later unetc'],
  ])('version %i says who wrote it and what to do', async (version, writer) => {
    expect(await faultOf(JSON.stringify({ ...document, version }))).toBe(
      `the bundle: manifest.json has version ${version}, which ${writer} wrote, and this unetc reads version 3; ` +
        'compile its graph again, `unetc compile GRAPH -o DIR`; where the file of the graph is lost, it is in the ' +
        'manifest under "graph"',
    );
  });

  test('no JSON', async () => {
    expect(await faultOf('{')).toMatch(
      /^the bundle: manifest\.json is no JSON: .*; compile the graph again$/s,
    );
    for (const other of ['null', '[]', '1', '""', '{}']) expect(await faultOf(other)).not.toBeNull();
  });

  test('a field that was changed afterwards', async () => {
    const other = { ...bundle.manifest, name: 'another' };
    expect(await faultOf(formatManifest(other))).toContain('it was changed after it was compiled');
  });
});

describe('kernels', () => {
  const [file, wgsl] = [...bundle.kernels][0]!;

  test('one that is missing', async () => {
    const kernels = new Map([...bundle.kernels].slice(1));
    await expect(read(text, kernels)).rejects.toMatchObject({
      kind: 'bundle',
      message: `the bundle: kernels/${file} is missing; compile the graph again`,
    });
  });

  test('one that was changed', async () => {
    const kernels = new Map(bundle.kernels).set(file, `${wgsl} `);
    await expect(read(text, kernels)).rejects.toMatchObject({ kind: 'bundle' });
    await expect(read(text, kernels)).rejects.toThrow(/has SHA-256 [0-9a-f]{64}, the manifest expects/);
  });
});
