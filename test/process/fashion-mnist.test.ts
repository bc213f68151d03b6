// The set-up's look at Fashion-MNIST, on made-up systems under UNETC_SETUP_ROOT: nothing is ever installed.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadGraph } from '../../compiler/graph/load.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const root = join(import.meta.dirname, '..', '..');
const FILES = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
];

function lay(folder: string, names: readonly string[], ending = '.gz'): void {
  mkdirSync(folder, { recursive: true });
  for (const name of names) writeFileSync(join(folder, `${name}${ending}`), '');
}

function run(env: Record<string, string> = {}) {
  const script = join(root, 'cli', 'setup', 'fashion-mnist.sh');
  const { PATH = '' } = process.env;
  const { status, stdout, stderr } = spawnSync('sh', [script], {
    encoding: 'utf8',
    env: { PATH, UNETC_SETUP_ROOT: at(), ...env },
  });
  return { status, stdout, stderr };
}

const PACKAGED = 'usr/share/datasets/fashion-mnist';

test('what is there is named, whoever put it there, packed or not', () => {
  lay(at(PACKAGED), FILES);
  expect(run()).toEqual({ status: 0, stdout: `${at(PACKAGED)}\n`, stderr: '' });
  lay(at('mine'), FILES, '');
  expect(run({ UNETC_FASHION_MNIST: at('mine') })).toEqual({
    status: 0,
    stdout: `${at('mine')}\n`,
    stderr: '',
  });
});

test('what is missing is named, with how to get it', () => {
  const none = run();
  expect(none).toMatchObject({ status: 5, stdout: '' });
  expect(none.stderr).toContain(`there is no ${at(PACKAGED)}/train-images-idx3-ubyte.gz`);
  expect(none.stderr).toContain('sudo apt-get install dataset-fashion-mnist');
  lay(at('mine'), FILES.slice(0, 3));
  const part = run({ UNETC_FASHION_MNIST: at('mine') });
  expect(part).toMatchObject({ status: 5, stdout: '' });
  expect(part.stderr).toContain('(UNETC_FASHION_MNIST) has no t10k-labels-idx1-ubyte.gz');
});

test('the demo trains the model of the clothes on it, and takes further words', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const words = scripts['demo:train'] as string;
  expect(words).toMatch(
    /^sh cli\/setup\.sh && data=\$\(sh cli\/setup\/fashion-mnist\.sh\) && node dist\/cli\/main\.js train /,
  );
  expect(words).toMatch(/ -o out\/fashion$/);
  const { graph, warnings } = loadGraph(readFileSync(join(root, 'graphs/fashion.json'), 'utf8'), 'fashion');
  expect(warnings).toEqual([]);
  expect(graph).toMatchObject({ image_size: [28, 28], in_channels: 1, num_classes: 10 });
});
