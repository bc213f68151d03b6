// What `unetc web` refuses, before anything is written. What it writes is in test/process/page.test.ts.

import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { goldenGraph } from '../golden-cases.ts';
import { contents, temporaryFolder } from '../temporary-folder.ts';
import { unetc } from '../unetc.ts';

const at = temporaryFolder();
const MNIST = ['graphs/mnist.json', '--weights', 'graphs/mnist.safetensors'];
const CLASSIFIER = ['--classifier', 'graphs/adm64-classifier.json', '--classifier-weights', 'hash:1'];

async function refused(words: readonly string[], exit: number, message: string | RegExp): Promise<void> {
  const outcome = await unetc('web', ...words, '-o', at('page'));
  expect(outcome.stderr).toMatch(message);
  expect(outcome.exit).toBe(exit);
  expect(fs.existsSync(at('page'))).toBe(false);
}

describe('words that are off', () => {
  test.each([
    [[...MNIST, '--dtype', 'f8'], "--dtype: found 'f8', expected f32 or f16"],
    [[...MNIST, '--shard-size', 'large'], "--shard-size: found 'large', expected bytes"],
    [[...MNIST, '--null-class', 'none'], "--null-class: found 'none', expected a class label"],
    [['graphs/mnist.json'], "required option '--weights <W>' not specified"],
    [[...MNIST, '--classifier-scale', '2'], '--classifier-scale: there is no classifier'],
    [[...MNIST, '--target', 'apple'], "unknown option '--target'"],
  ])('%j', (words, message) => refused(words, 2, message));

  test('a folder must be named', async () => {
    expect(await unetc('web', ...MNIST)).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('-o, --output'),
    });
  });
});

test('a graph, weights and models that nothing can be drawn with', async () => {
  fs.writeFileSync(at('bad.json'), '{}');
  await refused([at('bad.json'), '--weights', 'hash:1'], 3, 'error[');
  await refused(['graphs/mnist.json', '--weights', at('none.pt')], 4, 'there is no such file');
  await refused(['graphs/mnist.json', '--weights', 'graphs/mnist-sr.safetensors'], 4, 'do not fit the graph');
  await refused(['graphs/adm64-classifier.json', '--weights', 'hash:1'], 5, 'it is a classifier');
  await refused([...MNIST, ...CLASSIFIER], 5, /cannot guide/);
  await refused([...MNIST, '--null-class', '10'], 5, 'the null class 10 is out of range');
  const wrong = {
    ...JSON.parse(fs.readFileSync('graphs/mnist.json', 'utf8')),
    diffusion: { steps: 100, variance: 'fixed_small' },
  };
  fs.writeFileSync(at('variance.json'), JSON.stringify(wrong));
  await refused([at('variance.json'), '--weights', 'hash:1'], 5, 'diffusion.variance');
  fs.writeFileSync(at('plain.json'), goldenGraph('tiny-film'));
  const named = ['--weights', 'hash:1', '--names', at('plain.json')];
  await refused([at('plain.json'), ...named], 5, '--names: the model has no classes');
});

test('names that are not those of the classes', async () => {
  const names = (text: string | Uint8Array) => {
    fs.writeFileSync(at('names'), text);
    return [...MNIST, '--names', at('names')];
  };
  await refused(names('zero\none\n'), 5, 'found 2 names, expected 10');
  await refused(names('a\n\nc\nd\ne\nf\ng\nh\ni\nj\n'), 5, 'name 2 is empty');
  await refused(names('["a", 3]'), 5, 'expected a JSON list of texts');
  await refused(names('["a"'), 5, 'the file begins as a JSON list, and is none');
  await refused(names(Uint8Array.of(0xff, 0xfe)), 5, 'not UTF-8');
  await refused([...MNIST, '--names', at('nowhere')], 5, 'there is no such file');
});

test('a folder with other things is refused untouched, one with a stranger beside a page, too', async () => {
  fs.mkdirSync(at('home'));
  fs.writeFileSync(at('home', 'index.html'), 'years');
  const told = await unetc('web', ...MNIST, '-o', at('home'));
  expect(told).toMatchObject({ exit: 9, stderr: expect.stringContaining('the folder holds index.html') });
  fs.writeFileSync(at('home', 'model.json'), '{"format":"unetc-page"}');
  fs.writeFileSync(at('home', 'thesis.tex'), 'more years');
  const again = await unetc('web', ...MNIST, '-o', at('home'));
  expect(again).toMatchObject({ exit: 9, stderr: expect.stringContaining('the folder holds thesis.tex') });
  expect(Object.keys(contents(at('home')))).toEqual(['index.html', 'model.json', 'thesis.tex']);
  fs.writeFileSync(at('file'), '');
  expect(await unetc('web', ...MNIST, '-o', at('file'))).toMatchObject({ exit: 9 });
});
