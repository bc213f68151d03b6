// One diff in all formats, held to their schemas.

import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { baseSchemaText } from '../../../engine/diff/base-document.ts';
import { type DiffDocument, diffSchemaText } from '../../../engine/diff/document.ts';
import { patched } from '../../fixtures/diff-sides.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc } from '../../unetc.ts';

const at = temporaryFolder();
const SCHEMA = new URL('../../../docs/diff.schema.json', import.meta.url);
const SARIF = new URL('../../fixtures/sarif-schema-2.1.0.json', import.meta.url);

function save(name: string, file: object): string {
  writeFileSync(at(name), JSON.stringify(file, null, 2));
  return at(name);
}

/** A change with findings of every severity. */
const change = () => [
  save('a.json', patched({})),
  save('b.json', patched({ unet: { num_heads: 4, num_res_blocks: 2, dropout: 0.1 } })),
];

const diff = async (format: string, sides: readonly string[] = change(), ...more: readonly string[]) =>
  unetc('diff', ...sides, '--format', format, ...more);

async function document(...more: readonly string[]): Promise<DiffDocument> {
  return JSON.parse((await diff('json', change(), ...more)).stdout) as DiffDocument;
}

describe('json', () => {
  test.each([
    ['docs/diff.schema.json', SCHEMA, diffSchemaText],
    ['docs/diff-base.schema.json', new URL('diff-base.schema.json', SCHEMA), baseSchemaText],
  ])('%s is what the zod schema generates', (_, file, text) => {
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text());
    expect(readFileSync(file, 'utf8'), 'run again with UPDATE_GOLDEN=1').toBe(text());
  });

  test('fits its schema, with and without kernels', async () => {
    const validate = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
    for (const found of [await document(), await document('--kernels')]) {
      expect(validate(found), JSON.stringify(validate.errors)).toBe(true);
    }
    expect(validate({ ...(await document()), findings: [{}] })).toBe(false);
  });

  test('is one document, whose fingerprints stay', async () => {
    const [once, again] = [await document(), await document()];
    expect(once).toEqual(again);
    expect(once.summary.failing).toBe(once.summary.breaking);
    const heads = once.findings.find(({ rule }) => rule === 'weights/reinterpreted-heads')!;
    expect(heads).toMatchObject({ pointer: '/unet/num_heads', before: 'heads 2', after: 'heads 4' });
    const line = readFileSync(at('b.json'), 'utf8').split('\n')[heads.position!.line - 1]!;
    expect(line).toContain('"num_heads"');
    expect(heads.fingerprint).toMatch(/^[0-9a-f]{12}$/);
  });
});

test('sarif fits the schema of OASIS', async () => {
  const ajv = new Ajv({ strict: false, logger: false });
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  // draft 4 names its own address in another way; the other keywords that the schema uses mean the same in draft 7
  const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(SARIF, 'utf8'));
  const validate = ajv.compile(schema);
  const log = JSON.parse((await diff('sarif')).stdout);
  expect(validate(log), JSON.stringify(validate.errors)).toBe(true);
  expect(validate({ ...log, version: '1' })).toBe(false);
  const [run] = log.runs;
  expect(run.tool.driver.name).toBe('unetc');
  const heads = run.results.find((r: { ruleId: string }) => r.ruleId === 'weights/reinterpreted-heads');
  expect(run.tool.driver.rules[heads.ruleIndex].id).toBe(heads.ruleId);
  expect(heads.level).toBe('error');
  expect(heads.locations[0].physicalLocation.region.startLine).toBeGreaterThan(1);
});

test('github annotates the line of the key, a line an annotation', async () => {
  const { stdout } = await diff('github');
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^::(error|warning|notice) [^:]*title=unetc [^:]+::/);
  const heads = lines.find((line) => line.includes('reinterpreted-heads'))!;
  expect(heads).toMatch(
    /^::error file=\S+b\.json,line=\d+,col=\d+,title=unetc weights\/reinterpreted-heads::/,
  );
  expect(heads).toContain('%0A');
  expect(lines.filter((line) => line.includes('reinterpreted-heads'))).toHaveLength(1);
});

describe('markdown', () => {
  test('has the summary first and folds details', async () => {
    const { stdout } = await diff('markdown');
    expect(stdout.indexOf('| family | breaking | dangerous | info |')).toBeLessThan(
      stdout.indexOf('<details>'),
    );
    expect(stdout.match(/<details>/g)).toHaveLength(stdout.match(/<\/details>/g)!.length);
    expect(stdout).toMatch(/\| weights \| 🔴 \d+ \|/);
  });

  test('stays below 60 kB with many accepted findings that no longer occur', async () => {
    const keys = Array.from({ length: 1500 }, (_, i) => i.toString(16).padStart(12, '0'));
    const reason = 'because '.repeat(100);
    const accepted = Object.fromEntries(keys.map((key) => [key, { reason }]));
    const { stdout } = await diff(
      'markdown',
      undefined,
      '--accept',
      save('accepted.json', { format: 'unetc-accepted', version: 2, graphs: { 'b.json': accepted } }),
    );
    expect(Buffer.byteLength(stdout)).toBeLessThan(60_000);
    expect(stdout).toContain('\n- … and 1480 more that no longer occur\n');
    expect(stdout).toContain('<details>');
  });

  test('of a huge diff stays below 60 kB and counts what is left out', async () => {
    const explicit = JSON.parse(
      (await unetc('expand', save('a.json', patched({ unet: { num_res_blocks: 60 } })))).stdout,
    );
    const from = save('long-a.json', explicit);
    // every block another finding
    for (const [i, { layers }] of [...explicit.blocks.input, ...explicit.blocks.output].entries()) {
      for (const layer of layers) if (layer.type === 'res_block') layer.dropout = (i + 1) / 1000;
    }
    explicit.blocks.input.forEach((_: unknown, i: number) => {
      explicit.blocks.input[i].layers.push({ type: 'attention', channels: i < 62 ? 32 : 64, heads: 1 });
    });
    for (let i = 0; i < 122; i++) {
      const width = explicit.blocks.output[i].layers[0].out_channels;
      explicit.blocks.output[i].layers.splice(1, 0, {
        type: 'attention',
        channels: width,
        heads: 2 ** (i % 5),
      });
    }
    const { stdout } = await diff('markdown', [from, save('long-b.json', explicit)]);
    expect(Buffer.byteLength(stdout)).toBeLessThan(60_000);
    expect(Buffer.byteLength(stdout)).toBeGreaterThan(20_000);
    expect(stdout).toMatch(/… and \d+ findings more/);
    expect(stdout.match(/<details>/g)).toHaveLength(stdout.match(/<\/details>/g)!.length);
  });

  test('text from a file does not format', async () => {
    const name = '<b>|`*_x_*`';
    const { stdout } = await diff('markdown', [
      save('a.json', patched({})),
      save('b.json', patched({ name })),
    ]);
    expect(stdout).not.toContain('<b>|');
  });
});

describe('text', () => {
  test('says what changed, where, and what to do next', async () => {
    const { stdout, exit } = await diff('text');
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^\S+a\.json -> \S+b\.json\n\nweights\n/);
    expect(stdout).toMatch(
      / {4}~ down\[1\]\.attn\[0\], .* and \d more: heads 2 became 4, .* line \d+ {2}[0-9a-f]{12}/,
    );
    expect(stdout).toMatch(/ {4}next: old checkpoints load and give garbage/);
    expect(stdout).toMatch(/\n\d+ breaking, \d+ dangerous, \d+ info; \d+ at or above breaking\n$/);
    expect(stdout).not.toContain('\u001b');
  });

  test('--all lists every place and tensor', async () => {
    const { stdout } = await diff('text', change(), '--all');
    expect(stdout).toContain('input_blocks.2.0.in_layers.0.weight [32]');
    expect(stdout).not.toMatch(/and \d+ more/);
  });

  test('of no change is one line more', async () => {
    const [a] = change() as [string];
    const { stdout, exit } = await diff('text', [a, a]);
    expect(exit).toBe(0);
    expect(stdout).toBe(`${a} -> ${a}\n\nno changes\n`);
  });
});

describe('html', () => {
  test('draws both sides with what changed marked', async () => {
    const { stdout, exit } = await diff('html');
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^<!doctype html>/);
    expect(stdout.match(/<svg /g)).toHaveLength(2);
    expect(stdout).toContain('heads 2 became 4');
    expect(stdout).toMatch(/breaking weights\/added: down\[0\]\.res\[1\].*: the block is new/);
  });

  test('marks nothing where nothing changed', async () => {
    const [a] = change() as [string];
    expect((await diff('html', [a, a])).stdout).toContain('<li>no changes</li>');
  });
});
