import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { register } from '../../cli/commands/sample.ts';
import { runProgram } from '../../cli/program.ts';
import { decodePng } from '../../runtime/host/node/png.ts';
import { recordingContext } from '../recording-context.ts';

const GRAPH = path.join(import.meta.dirname, '../../graphs/mnist.json');

let folder: string;
let out: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sample-command-'));
  out = path.join(folder, 'out');
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

async function unetc(line: string) {
  const context = recordingContext();
  const argv = line.replaceAll('GRAPH', GRAPH).replaceAll('OUT', out).split(' ');
  return { exit: await runProgram(argv, context, [register]), ...context.printed };
}

test('samples on the reference executor, from words to pictures', async () => {
  const line = 'sample GRAPH --weights hash:1 --seeds 5,0 --class 3,7 --steps 2 --reference --out OUT --json';
  const { exit, stdout, stderr } = await unetc(line);
  expect({ exit, stderr }).toMatchObject({ exit: 0 });
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ name: 'mnist', samples: 2, sampler: 'ddpm', steps: 2, batch: 2, out });
  expect(fs.readdirSync(out).sort()).toEqual([
    '000000.png',
    '000005.png',
    'contact-sheet.png',
    'manifest.json',
  ]);
  const file = path.join(out, '000005.png');
  const { width, height, channels } = decodePng(fs.readFileSync(file), { kind: 'input', label: file });
  expect([width, height, channels]).toEqual([28, 28, 1]);
  expect(stderr).toContain('sampling: 100%  2/2 steps');
});

test.each([
  ['sample GRAPH --seeds 0 --out OUT', 2, 'weights'],
  ['sample GRAPH --weights hash:1 --seeds 0', 2, 'out'],
  ['sample GRAPH --weights hash:1 --seeds 4-1 --out OUT', 2, "'4-1' runs backwards"],
  ['sample GRAPH --weights hash:1 --seeds 0 --out OUT --guidance 3', 2, '--null-class'],
  ['sample no.json --weights hash:1 --seeds 0 --out OUT --reference', 3, 'there is no such file'],
  ['sample GRAPH --weights no.pt --seeds 0 --out OUT --reference', 4, 'no.pt'],
  ['sample GRAPH --weights hash:1 --seeds 0 --class 10 --out OUT --reference', 5, 'label 10 is out of range'],
  ['sample GRAPH --weights hash:1 --seeds 0 --class 1 --steps 1001 --out OUT --reference', 5, 'at most 1000'],
  ['sample GRAPH --weights hash:1 --noise no.safetensors --out OUT --reference', 5, 'no.safetensors'],
  ['sample GRAPH --weights hash:1 --seeds 0 --class 1 --out GRAPH/out --reference', 9, 'mnist.json'],
])('%s exits %i', async (line, code, message) => {
  const { exit, stdout, stderr } = await unetc(line);
  expect({ exit, stderr }).toMatchObject({ exit: code, stderr: expect.stringContaining(message) });
  expect(stdout).toBe('');
  expect(fs.existsSync(out)).toBe(false);
});

test('requests that do not fit the model are found without a GPU', async () => {
  process.env.UNETC_ADAPTER = 'an adapter that is not there';
  try {
    const line = 'sample GRAPH --weights hash:1 --seeds 0 --out OUT';
    expect(await unetc(`${line} --class 10`)).toMatchObject({ exit: 5 });
    expect(await unetc(`${line} --class 1`)).toMatchObject({ exit: 7 });
  } finally {
    delete process.env.UNETC_ADAPTER;
  }
});
