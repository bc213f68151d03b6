import { describe, expect, test } from 'vitest';
import { parseAmount, parseBytes, parseChoice, parseCount, parseSeeds } from '../../cli/parse.ts';
import { UsageError } from '../../engine/errors.ts';
import { parseNumbers } from '../../engine/jobs/ranges.ts';

describe('seeds', () => {
  test.each([
    ['3', [3]],
    ['0-3', [0, 1, 2, 3]],
    ['1,5,9-12', [1, 5, 9, 10, 11, 12]],
    ['7-7', [7]],
    [' 2 , 4 - 5 ', [2, 4, 5]],
    ['9,1', [9, 1]],
    ['007', [7]],
    ['9007199254740990-9007199254740991', [9007199254740990, 9007199254740991]],
  ])('%s', (text, expected) => {
    expect(parseSeeds(text)).toEqual(expected);
  });

  test.each([
    ['', "--seeds: found an empty part in ''; write numbers and ranges, such as 3, 0-15 or 1,5,9-12"],
    ['1,,2', "--seeds: found an empty part in '1,,2'"],
    ['a', "--seeds: found 'a'"],
    ['-1', "--seeds: found '-1'"],
    ['1-', "--seeds: found '1-'"],
    ['1.5', "--seeds: found '1.5'"],
    ['1e3', "--seeds: found '1e3'"],
    ['0x10', "--seeds: found '0x10'"],
    ['1-2-3', "--seeds: found '1-2-3'"],
    ['1..5', "--seeds: found '1..5'"],
    ['5-1', "--seeds: '5-1' runs backwards; write 1-5"],
    ['3,1-4', '--seeds: 3 is named twice; each seed makes one sample'],
    ['9007199254740992', "--seeds: '9007199254740992' is too large; the largest is 9007199254740991"],
    ['0-9007199254740991', 'names more than 1000000 numbers; split the run'],
    ['0-999999,2000000', 'names more than 1000000 numbers'],
  ])('%s is refused', (text, message) => {
    expect(() => parseSeeds(text)).toThrow(UsageError);
    expect(() => parseSeeds(text)).toThrow(message);
  });
});

test('other lists keep repeats and name their option', () => {
  expect(parseNumbers('1,1,0-2', '--class')).toEqual([1, 1, 0, 1, 2]);
  expect(() => parseNumbers('cat', '--class')).toThrow("--class: found 'cat'");
});

test('counts', () => {
  expect(parseCount('12', '--batch', 64)).toBe(12);
  for (const text of ['0', '65', '-1', '1.5', '', 'many', '1e1']) {
    const message = `--batch: found '${text}', expected a whole number from 1 to 64`;
    expect(() => parseCount(text, '--batch', 64)).toThrow(new UsageError(message));
  }
});

test('amounts', () => {
  expect(['0', '1', '0.25', '.5', '2.', '1e-3'].map((text) => parseAmount(text, '--eta'))).toEqual([
    0, 1, 0.25, 0.5, 2, 0.001,
  ]);
  for (const text of ['', '-1', 'NaN', 'Infinity', '1e999', '0x1', '1,5', '.']) {
    expect(() => parseAmount(text, '--eta')).toThrow(
      `--eta: found '${text}', expected a number of at least 0`,
    );
  }
});

test('choices', () => {
  expect(parseChoice('png', '--format', ['png', 'safetensors'])).toBe('png');
  expect(() => parseChoice('PNG', '--format', ['png', 'safetensors'])).toThrow(
    new UsageError("--format: found 'PNG', expected png or safetensors"),
  );
});

describe('a limit on memory', () => {
  test.each([
    ['600MB', 6e8],
    ['1.5 GB', 1.5e9],
    ['512MiB', 2 ** 29],
    ['1000', 1000],
    ['2kb', 2000],
  ])('%s', (text, bytes) => {
    expect(parseBytes(text, '--memory')).toBe(bytes);
  });

  test.each(['', '0', '-1MB', 'much', '10 horses', '1e3', '5.5.5MB', '0.1'])('%s is refused', (text) => {
    expect(() => parseBytes(text, '--memory')).toThrow(/--memory: found .*expected bytes such as 600MB/);
  });
});
