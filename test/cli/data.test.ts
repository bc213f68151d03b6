// `unetc data`: what it prints, writes and refuses.

import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { decodePng } from '../../runtime/host/node/png.ts';
import { npzFile } from '../fixtures/array-files.ts';
import { pngFile } from '../fixtures/png-file.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();

beforeEach(() => {
  const graph = JSON.parse(SMALL_GRAPH);
  fs.writeFileSync(at('graph.json'), SMALL_GRAPH);
  fs.writeFileSync(at('classes.json'), JSON.stringify({ ...graph, unet: { ...graph.unet, num_classes: 2 } }));
});

function picture(file: string, size: number, colours: 'grey' | 'rgb' | 'alpha' = 'grey'): void {
  fs.mkdirSync(path.dirname(at(file)), { recursive: true });
  const type = { grey: 0, rgb: 2, alpha: 6 } as const;
  const kind = { width: size, height: size + 2, type: type[colours], bits: 8 } as const;
  fs.writeFileSync(
    at(file),
    pngFile(kind, (x, y, c) => (c === 3 ? x * 10 : (x * 20 + y * 3) % 256)),
  );
}

test('prints what is there, and names what cannot be read', async () => {
  picture('set/cat_1.png', 20);
  picture('set/cat_2.png', 12, 'rgb');
  picture('set/dog_1.png', 6, 'alpha');
  fs.writeFileSync(at('set/dog_2.png'), 'nothing');
  fs.writeFileSync(at('set/read.me'), 'x');
  const { exit, stdout, stderr } = await unetc(
    'data',
    at('set'),
    '--graph',
    at('classes.json'),
    '--workers',
    '0',
  );
  expect(exit).toBe(0);
  const text = stdout.replaceAll(at(), 'T').replace(/[\d.]+ ms/, '1.00 ms');
  expect(text).toBe(`T/set: 4 images (pictures), for a model of 1 channel of 8x8
  usable          3, 1 file left out
  pictures        1 png grey 8 bit, 1 png rgb 8 bit, 1 png rgb+alpha 8 bit
  width x height  6x8 to 20x22, median 12x14
  values          ${/values +(.*)/.exec(stdout)![1]}
  time            1.00 ms an image, in this thread
  classes         2, 2 to 2 images each; the model has 2
       0  cat                           2
       1  dog                           2
  left out: T/set/dog_2.png: this is no PNG, JPEG or GIF; convert it to one of them
`);
  for (const note of [
    'left alone: 1 file that is no PNG, JPEG or GIF by name (1 .me)',
    '1 picture is transparent in places, and alpha is dropped: give a background',
    "1 picture is smaller than the model's images, and made larger",
    '2 pictures have colours or a palette, and the model takes grey: they become grey',
  ]) {
    expect(stderr).toContain(`note: ${note}`);
  }
});

test('--json is the same as one document, --preview a contact sheet', async () => {
  for (let i = 0; i < 5; i++) picture(`set/${i % 2 === 0 ? 'a' : 'b'}/p${i}.png`, 16);
  const sheet = at('sheet.png');
  const args = ['data', at('set'), '--graph', at('classes.json'), '--labels', 'folders', '--workers', '0'];
  const { exit, ...survey } = await unetcJson<Record<string, unknown>>(...args, '--preview', sheet);
  expect(exit).toBe(0);
  expect(survey).toMatchObject({
    ...{ data: at('set'), kind: 'pictures', count: 5, read: 5, usable: 5, skipped: { count: 0, files: [] } },
    model: { channels: 1, size: [8, 8], classes: 2, low_res: null },
    classes: [
      { label: 0, name: 'a', count: 3 },
      { label: 1, name: 'b', count: 2 },
    ],
    pictures: {
      kinds: [{ format: 'png', colours: 'grey', bits: 8, count: 5 }],
      smallest: [16, 18],
      largest: [16, 18],
    },
    ...{ threads: 0, preview: sheet, ms_per_image: expect.any(Number) },
  });
  const origin = { kind: 'input', label: sheet } as const;
  const before = decodePng(new Uint8Array(fs.readFileSync(sheet)), origin);
  expect(before.channels).toBe(1);
  // 8x8 pixels twelve times enlarged, in one row with gaps
  expect(before.width).toBeGreaterThan(3 * 96);
  // a run's own order, with its flips
  await unetc(...args, '--flip', '--seed', '3', '--preview', sheet);
  expect(decodePng(new Uint8Array(fs.readFileSync(sheet)), origin).data).not.toEqual(before.data);
});

test('arrays, and a part of them', async () => {
  const data = Uint8Array.from({ length: 6 * 64 }, (_, i) => i % 256);
  fs.writeFileSync(at('a.npz'), npzFile({ arr_0: { shape: [6, 8, 8], data } }));
  const { stdout } = await unetc('data', at('a.npz'), '--graph', at('graph.json'), '--limit', '2');
  expect(stdout).toContain('a.npz: 6 images (npz), 2 of them read, for a model of 1 channel of 8x8');
  expect(stdout).toContain('values          -1.000 to -0.004');
});

test.each([
  [['--workers', 'x'], 2, "--workers: found 'x', expected a whole number"],
  [['--crop', 'left'], 2, "--crop: found 'left', expected centre or random"],
  [['--background', 'x'], 2, "--background: found 'x', expected a colour"],
  [['--labels', 'folders'], 5, 'labels are to be the names of folders, and this picture lies in none'],
  [['--limit', '0'], 2, "--limit: found '0'"],
  [['--preview', '/'], 9, '/: this is a folder; name a file'],
])('%j: exit %i', async (words, exit, message) => {
  picture('set/a_1.png', 8);
  const outcome = await unetc('data', at('set'), '--graph', at('classes.json'), ...words);
  expect(outcome.stderr).toContain(message);
  expect(outcome.exit).toBe(exit);
});

test('where the first images are all bad there is still an answer', async () => {
  for (let i = 0; i < 40; i++) {
    picture(`set/b_${String(i).padStart(2, '0')}.png`, 8);
    if (i < 20) fs.writeFileSync(at(`set/b_${String(i).padStart(2, '0')}.png`), 'nothing');
  }
  const args = ['data', at('set'), '--graph', at('graph.json'), '--workers', '0', '--limit', '18'];
  const survey = await unetcJson<{
    readonly usable: number;
    readonly skipped: object;
    readonly values: object;
  }>(...args);
  expect(survey).toMatchObject({
    exit: 0,
    usable: 0,
    skipped: { count: 18 },
    values: { min: 0, max: 0, mean: 0 },
  });
});

test('no data: exit 5', async () => {
  const { exit, stderr } = await unetc('data', at('gone'), '--graph', at('graph.json'));
  expect(exit).toBe(5);
  expect(stderr).toContain('there is no such file or folder; data is a folder of PNG and JPEG');
});
