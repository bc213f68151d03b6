import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { register } from '../../cli/commands/convert.ts';
import { UsageError } from '../../engine/errors.ts';
import { RuntimeError } from '../../runtime/errors.ts';
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
    tensors: 167,
    params: 1192802,
  });
  expect(fs.readFileSync(again).equals(fs.readFileSync(out))).toBe(true);
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
