// Folders as the original lists them, and classes as it numbers them.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { labelsOfFiles, listPictures } from '../../../engine/data/picture-files.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();

function touch(...files: readonly string[]): void {
  for (const file of files) {
    fs.mkdirSync(path.dirname(at(file)), { recursive: true });
    fs.writeFileSync(at(file), 'x');
  }
}

test('entries are sorted by code points in every folder, folders in their place among files', () => {
  touch(
    'b_1.png',
    'a/z.JPG',
    'a/b/c.jpeg',
    'a.png',
    'B_2.PNG',
    'c.gif',
    'z.\u{1f600}.png',
    'z.\uffee.png',
    'a/notes.txt',
    'd',
    'e.png.bak',
  );
  const { files, others, skipped } = listPictures(at());
  expect(files).toEqual([
    ...['B_2.PNG', 'a/b/c.jpeg', 'a/z.JPG', 'a.png', 'b_1.png', 'c.gif', 'z.\uffee.png', 'z.\u{1f600}.png'],
  ]);
  expect([...others]).toEqual([
    ['.txt', 1],
    ['', 1],
    ['.bak', 1],
  ]);
  expect(skipped).toEqual([]);
});

test('links are followed, but not around; pipes are named', () => {
  touch('real/one.png', 'set/two.png');
  fs.symlinkSync(at('real'), at('set', 'linked'));
  fs.symlinkSync(at('real/one.png'), at('set', 'three.png'));
  fs.symlinkSync(at('nowhere.png'), at('set', 'gone.png'));
  fs.symlinkSync(at('set'), at('real', 'around'));
  execFileSync('mkfifo', [at('set', 'pipe.png')]);
  const { files, skipped } = listPictures(at('set'));
  expect(files).toEqual(['linked/one.png', 'three.png', 'two.png']);
  expect(skipped.map(({ file, reason }) => [path.relative(at(), file), reason.split(';')[0]])).toEqual([
    ['set/gone.png', 'the link leads nowhere'],
    ['set/linked/around', 'it leads back to a folder that it lies in, or too deep'],
    ['set/pipe.png', 'it is no regular file but a pipe, a socket or a device'],
  ]);
});

test('classes are names up to the first _, numbered in the order of texts', () => {
  const files = ['10_a.png', '2_b.png', 'x/10_c_d.png', 'plain.png'];
  expect(labelsOfFiles('f', files, 'names')).toEqual({
    names: ['10', '2', 'plain.png'],
    ids: Int32Array.of(0, 1, 0, 2),
  });
});

test('or the first folder of a path; a picture in none is an error with what to do', () => {
  expect(labelsOfFiles('f', ['cats/a/1.png', 'Dogs/2.png', 'cats/3.png'], 'folders')).toEqual({
    names: ['Dogs', 'cats'],
    ids: Int32Array.of(1, 0, 1),
  });
  expect(() => labelsOfFiles('f', ['cats/1.png', '2.png'], 'folders')).toThrow(/f\/2\.png: .*move it into/);
});
