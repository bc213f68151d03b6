// Graphs written in TypeScript: the same graph as its JSON, faults at their lines, nothing executed.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphError } from '../../../compiler/diagnostics.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { compile } from '../../../engine/api.ts';
import { readTypeScript } from '../../../engine/graph/typescript/read-graph.ts';
import { strictProject } from '../../fixtures/strict-project.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc } from '../../unetc.ts';

const ROOT = path.join(import.meta.dirname, '..', '..', '..');
const inFolder = temporaryFolder();

const GRAPH = `// The digits, wider.
import { defineUNet, type GraphFile } from 'unetc';

const width = 2 * 32;
const levels = [1, 2, 2] as const;
const base = { dims: 2, use_scale_shift_norm: true, num_heads: -(-2) } as const;
const task = 'digits';

export default defineUNet({
  version: 1,
  name: \`\${task}-\${width}\`,
  image_size: (28),
  unet: {
    ...base,
    in_channels: 1,
    model_channels: width,
    out_channels: levels[1],
    num_res_blocks: 1,
    attention_resolutions: [2 ** 2],
    channel_mult: [...levels],
    'num_classes': 10,
    use_scale_shift_norm: !true,
    dropout: undefined,
  },
} satisfies GraphFile);
`;
const SOUND = GRAPH.replace('    use_scale_shift_norm: !true,\n', '');

/** The messages of a text's faults. */
function faultsOf(text: string): readonly string[] {
  try {
    loadGraph(readTypeScript(text), 'g.ts');
  } catch (error) {
    expect(error).toBeInstanceOf(GraphError);
    return (error as GraphError).message.split('\n');
  }
  return [];
}

const wrapped = (unet: string, before = '') =>
  `import { defineUNet } from 'unetc';\n${before}\nexport default defineUNet(${unet});\n`;

describe('a graph in TypeScript', () => {
  it('is the graph that its values make', () => {
    const { graph } = loadGraph(readTypeScript(SOUND), 'g.ts');
    expect(graph).toMatchObject({
      name: 'digits-64',
      image_size: [28, 28],
      out_channels: 2,
      num_classes: 10,
    });
    expect(graph.time_embed.channels).toBe(64);
    expect(readTypeScript(SOUND).value).toEqual({
      version: 1,
      name: 'digits-64',
      image_size: 28,
      unet: {
        dims: 2,
        use_scale_shift_norm: true,
        num_heads: 2,
        in_channels: 1,
        model_channels: 64,
        out_channels: 2,
        num_res_blocks: 1,
        attention_resolutions: [4],
        channel_mult: [1, 2, 2],
        num_classes: 10,
      },
    });
  });

  it('says the place of what is no constant', () => {
    expect(faultsOf(GRAPH)).toEqual([
      'error[G021] g.ts:/unet/use_scale_shift_norm: found !true, which is no constant; write its value (line 22, column 27)',
    ]);
  });

  it('says the place of what the rules find', () => {
    expect(faultsOf(SOUND.replace('-(-2)', '5'))).toEqual([
      'error[G012] g.ts:/unet/num_heads: 128 channels do not divide into 5 heads; use 4, 8 or 16 (line 6, column 64)',
    ]);
    expect(faultsOf(SOUND.replace("'num_classes'", 'num_clases'))).toEqual([
      'error[G008] g.ts:/unet/num_clases: unknown key; did you mean "num_classes"? (line 21, column 5)',
    ]);
  });

  it.each([
    ['a call', wrapped('{ version: Number("1") }'), 'found the call Number("1"), which is no constant'],
    [
      'an import',
      wrapped('{ version: one }', "import { one } from './one';"),
      'found one, which is no constant',
    ],
    ['a let', wrapped('{ version: v }', 'let v = 1;'), 'found v, which is no constant'],
    ['a const of itself', wrapped('{ version: v }', 'const v = [v];'), 'v, which is made of itself'],
    ['a condition', wrapped('{ version: 1 < 2 ? 1 : 2 }'), 'found 1 < 2 ? 1 : 2, which is no constant'],
    ['a method', wrapped('{ version() {} }'), 'found version() {}, which is no constant'],
    ['a getter', wrapped('{ get version() { return 1; } }'), 'which is no constant'],
    ['a computed key', wrapped('{ ["version"]: 1 }'), 'write the key itself'],
    ['a key twice', wrapped('{ version: 1, version: 1 }'), 'G002'],
    ['a key that objects inherit', wrapped('{ "__proto__": 1 }'), 'G003'],
    ['a number without end', wrapped('{ version: 1e999 }'), 'G005'],
    ['a division by zero', wrapped('{ version: 1 / 0 }'), 'G005'],
    ['a member that is not there', wrapped('{ version: a.b }', 'const a = {};'), 'a.b, which is not there'],
    ['an inherited member', wrapped('{ version: a.map }', 'const a = [1];'), 'a.map, which is not there'],
    ['a spread of no list', wrapped('[...a]', 'const a = {};'), '...a of no list'],
    ['undefined in a list', wrapped('[undefined]'), 'found undefined'],
    ['a regular expression', wrapped('/a/'), 'found /a/'],
    ['a big integer', wrapped('{ version: 1n }'), 'found 1n'],
    ['no graph', wrapped(''), 'defineUNet takes one graph, found 0 arguments'],
    ['another default export', 'export default { version: 1 };', 'the default export is no call'],
    ['another function', 'export default define({});', 'the default export calls define'],
    ['a function that is not imported', 'export default defineUNet({});', 'calls defineUNet; expected'],
    ['no default export', 'export const a = 1;', 'there is no default export'],
    ['a text that is no TypeScript', 'export default {{{', 'this is no TypeScript'],
  ])('refuses %s', (_, text, message) => {
    expect(faultsOf(text).join('\n')).toContain(message);
  });

  it('executes nothing', () => {
    const text = wrapped('{ version: 1 }', 'globalThis.ran = true; throw new Error("ran");');
    expect(faultsOf(text).length).toBeGreaterThan(0);
    expect('ran' in globalThis).toBe(false);
  });

  it('refuses spreads that double without end, and expressions that nest without end', () => {
    const doubling = Array.from({ length: 40 }, (_, i) => `const a${i + 1} = [...a${i}, ...a${i}];`).join(
      '\n',
    );
    expect(faultsOf(wrapped('a40', `const a0 = [1];\n${doubling}`)).join()).toContain(
      'more than 50000 values',
    );
    expect(faultsOf(wrapped('('.repeat(50_000))).join()).toContain('nests too deep');
    expect(faultsOf(wrapped(`${'['.repeat(100)}${']'.repeat(100)}`)).join()).toContain('more than 64 levels');
  });

  it.each<[string, string]>([
    [
      "import fs from 'node:fs';",
      "found an import from 'node:fs', which is not read; a graph imports from 'unetc' alone",
    ],
    ["import './more.ts';", "found an import from './more.ts'"],
    ["import unetc from 'unetc';", "found unetc; write import { defineUNet } from 'unetc'"],
    ["import * as all from 'unetc';", 'found all; write'],
    ["import { load } from 'unetc';", "'unetc' gives graphs defineUNet and GraphFile, found load"],
    ["console.log('hello');", "found console.log('hello');, and nothing is executed"],
    ['for (;;) {}', 'found for (;;) {}, and nothing is executed'],
    ['function f() { return 1; }', 'found function f()'],
    ['let width = 3;', 'found let; write const'],
    ['var width = 3;', 'found var; write const'],
    ["const size = Number('28');", "found the call Number('28'), which is no constant"],
    ['const [a] = [() => 1];', 'found () => 1, which is no constant'],
  ])('%s is refused at its line', (statement, message) => {
    const faults = faultsOf(SOUND.replace('const width', `${statement}\nconst width`));
    expect(faults).toEqual([expect.stringContaining(message)]);
    expect(faults[0]).toMatch(/\(line 4, column \d+\)$/);
  });

  it('may have types, imported ones too, consts that nothing reads, and consts for others', () => {
    const inert = `import type { SampleOptions } from 'unetc';\ntype T = 1;\ninterface I { a: T }\nexport const unused = { a: [1] };;\n`;
    expect(faultsOf(SOUND.replace('const width', `${inert}const width`))).toEqual([]);
    const places = (text: string) => readTypeScript(text).values.get('/unet/in_channels')!.column;
    expect(
      places(SOUND.replace('const width', 'const other = { unet: { in_channels: 3 } };\nconst width')),
    ).toBe(places(SOUND));
  });

  it('may be called by another name', () => {
    const text = SOUND.replace('defineUNet,', 'defineUNet as unet,').replace('defineUNet({', 'unet({');
    expect(faultsOf(text)).toEqual([]);
  });
});

describe('commands', () => {
  it('take it where they take JSON', async () => {
    const file = inFolder('digits.ts');
    writeFileSync(file, SOUND);
    expect((await unetc('validate', file)).stdout).toContain('digits.ts: valid (digits-64, 28x28,');
    const { exit, stdout } = await unetc('expand', file);
    expect(exit).toBe(0);
    expect(loadGraph(stdout, 'expanded').graph).toEqual(loadGraph(readTypeScript(SOUND), file).graph);
    expect((await unetc('stats', file, '--json')).exit).toBe(0);
    const weights = inFolder('w.json');
    writeFileSync(weights, '{"out.2.bias": [2]}');
    expect((await unetc('check', file, weights)).exit).toBe(1);
    expect(compile(file, { size: 8 }).manifest.name).toBe('digits-64');
  });

  it('exit with 3 where it is off', async () => {
    const file = inFolder('digits.ts');
    writeFileSync(file, GRAPH);
    const { exit, stderr } = await unetc('validate', file);
    expect(exit).toBe(3);
    expect(stderr).toContain('(line 22, column 27)');
  });
});

it('defineUNet makes the type checker find unknown keys and wrong values', () => {
  const project = strictProject('engine/graph/typescript/define-unet.ts');
  const mnist = readFileSync(path.join(ROOT, 'graphs/mnist.json'), 'utf8');
  const faults = [
    mnist,
    mnist.replace('num_heads', 'num_head'),
    mnist.replace('"num_res_blocks": 1', '"num_res_blocks": "1"'),
  ]
    .map((text, i) => project.createSourceFile(path.join(ROOT, 'made-up', `graph-${i}.ts`), wrapped(text)))
    .map((file) =>
      project
        .getProgram()
        .getSemanticDiagnostics(file)
        .map((d) => d.getLineNumber()),
    );
  expect(faults).toEqual([[], [16], [12]]);
}, 60_000);

it('a list as const both type-checks and validates', () => {
  const before =
    "import type { GraphFile } from 'unetc';\nconst mult = [1, 2, 2] as const;\nconst whole = { name: 'a' } as const;";
  const unet =
    '{ in_channels: 1, model_channels: 32, out_channels: 1, num_res_blocks: 1, attention_resolutions: [] as const, channel_mult: mult }';
  const text = wrapped(
    `{ ...whole, version: 1, image_size: [28, 28] as const, unet: ${unet} } satisfies GraphFile`,
    before,
  );
  expect(faultsOf(text)).toEqual([]);
  const project = strictProject('engine/graph/typescript/define-unet.ts');
  const file = project.createSourceFile(path.join(ROOT, 'made-up', 'graph.ts'), text);
  const found = project.getProgram().getSemanticDiagnostics(file);
  expect(found.map((fault) => JSON.stringify(fault.getMessageText()))).toEqual([]);
}, 60_000);
