// `unetc bench` and `unetc profile`: words and faults that are found before a GPU is.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import { goldenGraph } from '../../golden-cases.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc, unetcJson } from '../../unetc.ts';

const at = temporaryFolder();

function graph(): string {
  fs.writeFileSync(at('g.json'), goldenGraph('tiny-1d'));
  return at('g.json');
}

test.each([
  [
    'bench',
    ['--against', 'ort-cpu,tensorflow'],
    2,
    "--against: found 'tensorflow', expected peers of ort-cpu",
  ],
  ['bench', ['--batch', '1,0'], 2, "--batch: found '0'"],
  ['bench', ['--batch', '1,'], 2, "--batch: found ''"],
  ['bench', ['--runs', '0'], 2, '--runs'],
  ['bench', ['--warmup', 'x'], 2, '--warmup'],
  ['bench', ['--threads', '0'], 2, '--threads'],
  ['bench', ['--markdown', '--json'], 2, '--json and --markdown'],
  ['bench', ['--train', '--scaling'], 2, '--scaling: it measures one model'],
  ['bench', ['--target', 'abacus'], 2, "--target: found 'abacus'"],
  ['bench', ['--size', '63'], 3, 'does not survive'],
  ['bench', ['--weights', 'none.pt'], 4, 'none.pt'],
  ['bench', ['--weights', 'graphs/mnist.safetensors'], 4, 'the weights do not fit the graph'],
  ['profile', ['--runs', '0'], 2, '--runs'],
  ['profile', ['--top', '0'], 2, '--top'],
  ['profile', ['--peak-gflops', '0'], 2, '--peak-gflops'],
  ['profile', ['--peak-gbs', 'fast'], 2, '--peak-gbs'],
  ['profile', ['--size', '63'], 3, 'does not survive'],
  ['profile', ['--weights', 'none.pt'], 4, 'none.pt'],
  ['profile', ['--svg', 'README.md/plot.svg'], 9, 'README.md'],
  ['profile', ['--trace', 'graphs'], 9, 'graphs'],
])('%s %j exits %i', async (command, words, code, message) => {
  const { exit, stderr } = await unetc(command, graph(), ...words);
  expect([exit, stderr]).toEqual([code, expect.stringContaining(message)]);
});

test.each(['bench', 'profile'])(
  '%s of a graph that is not there is a document with --json',
  async (command) => {
    const { exit, error } = await unetcJson<{ error: { kind: string } }>(command, 'none.json');
    expect([exit, error.kind]).toEqual([3, 'graph']);
  },
);

test('without the adapter that is asked for, both exit 7 and leave nothing behind', async () => {
  process.env.UNETC_ADAPTER = 'an adapter that is not there';
  try {
    const before = fs.readdirSync(at('..')).filter((name) => name.startsWith('unetc-bench-'));
    expect((await unetc('bench', graph(), '--target', 'generic')).exit).toBe(7);
    expect(fs.readdirSync(at('..')).filter((name) => name.startsWith('unetc-bench-'))).toEqual(before);
    expect((await unetc('profile', graph(), '--trace', at('trace.json'))).exit).toBe(7);
    expect(fs.existsSync(at('trace.json'))).toBe(false);
  } finally {
    delete process.env.UNETC_ADAPTER;
  }
});
