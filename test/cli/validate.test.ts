import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { register as expand } from '../../cli/commands/expand.ts';
import { register as validate } from '../../cli/commands/validate.ts';
import { runProgram } from '../../cli/program.ts';
import { loadGraph } from '../../compiler/graph/load.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'unetc-validate-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file in the test's folder. */
function file(name: string, content: string | Uint8Array): string {
  const at = path.join(folder, name);
  writeFileSync(at, content);
  return at;
}

async function run(...argv: readonly string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const context = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: (text: string) => {
      stderr += text;
    },
    interactive: false,
    color: false,
    signal: new AbortController().signal,
  };
  const exit = await runProgram(argv, context, [validate, expand]);
  return { exit, stdout, stderr };
}

const unet = {
  in_channels: 3,
  model_channels: 32,
  out_channels: 3,
  num_res_blocks: 1,
  attention_resolutions: [8],
  channel_mult: [1, 2],
};
const good = file('good.json', JSON.stringify({ version: 1, image_size: 32, unet }));
const bad = file('bad.json', JSON.stringify({ version: 1, image_size: 31, unet: { ...unet, num_heads: 5 } }));
const cifar10 = 'graphs/cifar10.json';

describe('unetc validate', () => {
  test('says in one line that a graph is valid', async () => {
    expect(await run('validate', cifar10)).toEqual({
      exit: 0,
      stdout: `${cifar10}: valid (cifar10, 32x32, 52,546,438 parameters in 446 tensors)\n`,
      stderr: '',
    });
  });

  test('prints warnings, which do not fail', async () => {
    const { exit, stdout, stderr } = await run('validate', good);
    expect(exit).toBe(0);
    expect(stdout).toContain('good.json: valid (unet, 32x32,');
    expect(stderr).toMatch(
      /^warning\[G030\] .*good\.json:\/unet\/attention_resolutions\/0: .*\(line 1, column \d+\)\n$/,
    );
  });

  test('prints every fault and warning, and exits with 3', async () => {
    const { exit, stdout, stderr } = await run('validate', bad);
    expect(exit).toBe(3);
    expect(stdout).toBe('');
    expect(stderr.match(/^\w+\[G\d+\]/gm)).toEqual(['error[G013]', 'warning[G030]', 'error[G012]']);
  });

  test('--json prints one document, valid or not', async () => {
    const valid = await run('validate', good, '--json');
    expect(JSON.parse(valid.stdout)).toMatchObject({
      valid: true,
      name: 'unet',
      image_size: [32, 32],
      params: expect.any(Number),
      warnings: [{ severity: 'warning', code: 'G030', pointer: '/unet/attention_resolutions/0' }],
    });
    const faulty = await run('validate', bad, '--json');
    expect(faulty.exit).toBe(3);
    expect(JSON.parse(faulty.stdout)).toMatchObject({
      file: bad,
      valid: false,
      error: { exit: 3, diagnostics: [{ code: 'G013' }, { code: 'G030' }, { code: 'G012' }] },
    });
  });

  test('--size checks another size', async () => {
    expect((await run('validate', cifar10, '--size', '16x24')).stdout).toContain('(cifar10, 16x24,');
    expect((await run('validate', cifar10, '--size', '64')).stdout).toContain('(cifar10, 64x64,');
    const { exit, stderr } = await run('validate', cifar10, '--size', '16x20');
    expect(exit).toBe(3);
    expect(stderr).toContain("the requested size's width 20 does not survive");
  });

  test.each(['', '16x', '16x16x16x16', '-8', '0x8', '99999999', 'big', '8.5'])(
    '--size %j is a usage fault',
    async (size) => {
      const { exit, stderr } = await run('validate', cifar10, `--size=${size}`);
      expect(exit).toBe(2);
      expect(stderr).toContain('--size');
    },
  );

  mkdirSync(path.join(folder, 'folder'));
  test.each([
    ['a missing file', path.join(folder, 'none.json'), 'there is no such file'],
    ['a directory', path.join(folder, 'folder'), 'this is a directory'],
    ['bytes that are no text', file('bytes.json', Uint8Array.of(0x7b, 0xff, 0x7d)), 'not UTF-8 text'],
    [
      'a checkpoint',
      file('model.pt', Uint8Array.of(0x50, 0x4b, 3, 4, 0xff)),
      'it looks like a .pt checkpoint',
    ],
    ['UTF-16', file('wide.json', Uint8Array.of(0xff, 0xfe, 0x7b, 0)), 'it looks like UTF-16'],
  ])('%s is a fault of the graph', async (_, at, message) => {
    const { exit, stderr } = await run('validate', at);
    expect(exit).toBe(3);
    expect(stderr).toMatch(/^error\[G000\] [^:]+: /);
    expect(stderr).toContain(message);
  });

  test('a byte order mark is told as that', async () => {
    const marked = file('bom.json', `\ufeff${readFileSync(good, 'utf8')}`);
    expect((await run('validate', marked)).stderr).toMatch(/^error\[G006\]/);
  });
});

describe('unetc expand', () => {
  test('prints the explicit form of the same graph', async () => {
    const { exit, stdout, stderr } = await run('expand', cifar10);
    expect([exit, stderr]).toEqual([0, '']);
    expect(Object.keys(JSON.parse(stdout))).toContain('blocks');
    const original = loadGraph(readFileSync(cifar10, 'utf8'), cifar10).graph;
    expect(loadGraph(stdout, 'expanded').graph).toEqual(original);
    expect((await run('expand', file('expanded.json', stdout))).stdout).toBe(stdout);
  });

  test('fails on a bad graph without printing half of it', async () => {
    const { exit, stdout } = await run('expand', bad);
    expect([exit, stdout]).toEqual([3, '']);
  });
});
