import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { register } from '../../cli/commands/convert.ts';
import { initialWeights } from '../../engine/api.ts';
import { UsageError } from '../../engine/errors.ts';
import { carriedGraph, GRAPH_KEY } from '../../engine/graph/carried-graph.ts';
import { RUN_KEY } from '../../engine/training/saved-state.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { float16ToFloat32, float32ToFloat16 } from '../../runtime/weights/dtypes.ts';
import { safetensorsChunks, writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { tinyGraph } from '../fixtures/tiny-training.ts';
import { recordingContext } from '../recording-context.ts';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'unetc-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** Runs `unetc convert …` and gives what it printed. */
async function convert(
  ...words: readonly string[]
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const context = recordingContext();
  const program = new Command().exitOverride();
  register(program, context);
  await program.parseAsync(['convert', ...words], { from: 'user' });
  return context.printed;
}

test('the digit model becomes the safetensors file that is shipped, to the byte', async () => {
  const out = path.join(folder, 'm.safetensors');
  const { stdout, stderr } = await convert('test/golden/mnist/model.pt', out);
  expect(stdout).toBe(`${out}: 167 tensors, 1192802 parameters\n`);
  expect(stderr).toBe('');
  expect(fs.readFileSync(out).equals(fs.readFileSync('graphs/mnist.safetensors'))).toBe(true);
  const again = path.join(folder, 'again.safetensors');
  expect(JSON.parse((await convert(out, again, '--json')).stdout)).toEqual({
    input: out,
    output: again,
    files: [again],
    dtype: 'f32',
    tensors: 167,
    params: 1192802,
    bytes: 4 * 1192802,
  });
  expect(fs.readFileSync(again).equals(fs.readFileSync(out))).toBe(true);
});

test('the graph that a checkpoint carries goes along, but not into shards, and not what tells a run its files', async () => {
  const graph = tinyGraph();
  const tensors = [...initialWeights(graph)].map(([name, { shape, data }]) => ({
    ...{ name, shape, dtype: 'F32' as const, data: () => data },
  }));
  const file = path.join(folder, 'model000001.safetensors');
  const metadata = { [GRAPH_KEY]: graph, [RUN_KEY]: 'a run' };
  fs.writeFileSync(file, Buffer.concat([...safetensorsChunks(tensors, metadata)]));
  const out = path.join(folder, 'm.safetensors');
  expect((await convert(file, out, '--dtype', 'f16')).stderr).toBe('');
  expect(carriedGraph(out)).toBe(graph);
  expect(fs.readFileSync(out, 'latin1')).not.toContain('a run');
  const { stderr } = await convert(file, out, '--shard-size', '500kB');
  expect(stderr).toContain(
    'the graph that it carries is not written, for none of the shards is a whole model',
  );
  expect(carriedGraph(path.join(folder, 'm-00001-of-00002.safetensors'))).toBeNull();
});

test('shards in float16 hold what the file holds, rounded, each below the size that is asked for', async () => {
  const out = path.join(folder, 'm.safetensors');
  const { stdout } = await convert(
    'graphs/mnist.safetensors',
    out,
    '--dtype',
    'f16',
    '--shard-size',
    '600kB',
  );
  expect(stdout).toBe(`${out}.index.json: 167 tensors, 1192802 parameters, f16, 5 files\n`);
  const names = [1, 2, 3, 4, 5].map((i) => `m-0000${i}-of-00005.safetensors`);
  expect(fs.readdirSync(folder).sort()).toEqual([...names, 'm.safetensors.index.json']);
  for (const name of names) expect(fs.statSync(path.join(folder, name)).size).toBeLessThanOrEqual(600_000);
  const index = JSON.parse(fs.readFileSync(`${out}.index.json`, 'utf8'));
  expect(index.metadata).toEqual({ total_size: 2 * 1192802 });
  const [before, after] = [openWeights('graphs/mnist.safetensors'), openWeights(`${out}.index.json`)];
  expect(after.tensors).toEqual(before.tensors);
  for (const { name, shape } of before.tensors!) {
    const rounded = float16ToFloat32(float32ToFloat16(before.read(name, shape)));
    expect(Buffer.from(after.read(name, shape).buffer).equals(Buffer.from(rounded.buffer)), name).toBe(true);
  }
  before.close();
  after.close();
});

test('what fits into one file is one, and a tensor that is larger than a shard has its own, with a note', async () => {
  const out = path.join(folder, 'm.safetensors');
  const one = await convert('graphs/mnist.safetensors', out, '--shard-size', '10MB');
  expect(one.stdout).toBe(`${out}: 167 tensors, 1192802 parameters\n`);
  expect(fs.readdirSync(folder)).toEqual(['m.safetensors']);
  const { stdout, stderr } = await convert(out, out, '--shard-size', '200kB');
  expect(stdout).toMatch(/, \d+ files\n$/);
  expect(stderr).toMatch(/\.weight has \d+ bytes, more than a shard may have; its file is larger/);
});

test('float16 refuses what it cannot hold, and words that are off are told', async () => {
  const [file, out] = [path.join(folder, 'in.safetensors'), path.join(folder, 'out.safetensors')];
  const big = { shape: [2], data: Float32Array.of(1, -70000) };
  fs.writeFileSync(
    file,
    writeTensors(
      new Map([
        ['a', { shape: [1], data: Float32Array.of(1) }],
        ['b', big],
      ]),
    ),
  );
  for (const more of [[], ['--shard-size', '300']]) {
    await expect(convert(file, out, '--dtype', 'f16', ...more)).rejects.toThrow(
      'tensor "b" holds -70000 at element 1, and float16 ends at 65504; keep it in float32 (--dtype f32)',
    );
  }
  expect(fs.readdirSync(folder)).toEqual(['in.safetensors']);
  await expect(convert(file, out, '--dtype', 'bf16')).rejects.toThrow(
    "--dtype: found 'bf16', expected f32 or f16",
  );
  await expect(convert(file, out, '--shard-size', 'x')).rejects.toThrow(
    "--shard-size: found 'x', expected bytes",
  );
});

test('a file may be converted in place', async () => {
  const file = path.join(folder, 'm.safetensors');
  fs.copyFileSync('graphs/mnist.safetensors', file);
  await convert(file, file);
  expect(fs.readFileSync(file).equals(fs.readFileSync('graphs/mnist.safetensors'))).toBe(true);
});

test('words that are off, and a checkpoint that is bad, leave nothing behind', async () => {
  const out = path.join(folder, 'x.safetensors');
  await expect(convert('test/golden/mnist/model.pt', path.join(folder, 'x.pt'))).rejects.toThrow(UsageError);
  await expect(convert('hash:1', out)).rejects.toThrow(UsageError);
  await expect(convert('missing.pt', out)).rejects.toThrow(RuntimeError);
  // An integer tensor is met only after others were written.
  await expect(convert('test/fixtures/checkpoints/protocol-2.pt', out)).rejects.toThrow(
    'tensor "steps" is of type I64',
  );
  expect(fs.readdirSync(folder)).toEqual([]);
});
