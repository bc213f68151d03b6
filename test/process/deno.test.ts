// The example for Deno does what it says: the same bits as Node on the same adapter, pictures, and a sentence where
// something is off. Needs the build.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { decodePng } from '../../runtime/host/node/png.ts';
import { toPixels } from '../../runtime/image/pixels.ts';
import { readTensors } from '../../runtime/weights/safetensors.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc } from '../unetc.ts';

const root = path.join(import.meta.dirname, '..', '..');
const DENO = path.join(root, 'node_modules', '.bin', 'deno');
const at = temporaryFolder();

/** What a program printed, and how it ended. */
interface Ended {
  readonly code: number;
  readonly printed: string;
}

/** Runs the example in Deno, which may read and write what is in the folder of the test, and read the repository. */
function draw(...words: readonly string[]): Promise<Ended> {
  const run = ['run', '--no-lock', '--no-prompt', `--allow-read=${root},${at()}`, `--allow-write=${at()}`];
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(
      DENO,
      [...run, 'examples/deno/sample.ts', ...words],
      { cwd: root, env },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), printed: stdout + stderr }),
    );
  });
}

async function done(...words: readonly string[]): Promise<void> {
  const { exit, stderr } = await unetc(...words);
  expect(exit, stderr).toBe(0);
}

// npm installs no Deno for a platform that it is not built for
test.skipIf(!fs.existsSync(DENO))(
  'Deno draws the bits that Node draws, from shards in float16',
  { timeout: 300_000 },
  async () => {
    fs.writeFileSync(at('small.json'), SMALL_GRAPH);
    await done('compile', at('small.json'), '--batch', '2', '-o', at('bundle'));
    await done('init', at('small.json'), '--seed', '1', '-o', at('w.safetensors'));
    const converted = ['convert', at('w.safetensors'), '-o', at('page', 'w.safetensors')];
    await done(...converted, '--dtype', 'f16', '--shard-size', '60kB');
    const index = at('page', 'w.safetensors.index.json');

    const drawing = ['--seeds', '3-5', '--steps', '4', '--format', 'safetensors', '-o'];
    const inDeno = await draw(at('bundle'), index, ...drawing, at('deno'));
    expect(inDeno.printed).toContain('3 samples');
    expect(inDeno.code).toBe(0);
    await done('sample', at('bundle'), '--weights', index, '--quiet', ...drawing, at('node'));
    const [ours, theirs] = ['deno', 'node'].map((host) => fs.readFileSync(at(host, 'samples.safetensors')));
    expect(ours!.equals(theirs!)).toBe(true);

    const pictures = await draw(at('bundle'), index, '--seeds', '3', '--steps', '4', '-o', at('png'));
    expect(pictures.code, pictures.printed).toBe(0);
    const origin = { kind: 'input', label: '3.png' } as const;
    const { shape, data } = readTensors(ours!, origin).get('samples')!;
    const first = { shape: shape.slice(1), data: (data as Float32Array).slice(0, 64) };
    expect(decodePng(fs.readFileSync(at('png', '3.png')), origin)).toEqual(toPixels(first));

    const missing = await draw(at('bundle'), at('nowhere.safetensors'), '-o', at('none'));
    expect(missing.code).toBe(2);
    expect(missing.printed).toMatch(
      /^error: file:.*nowhere\.safetensors: it cannot be read \(.*\); check the path/m,
    );
    expect(fs.existsSync(at('none'))).toBe(false);
  },
);
