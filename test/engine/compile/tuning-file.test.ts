// Tuning files: what is read back, what is refused, and which one a graph is compiled with.

import fs from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { GENERIC, SOFTWARE } from '../../../compiler/target.ts';
import { foreignTuning, shippedTuning, tuningFor } from '../../../engine/compile/tuning-choice.ts';
import { readTuningFile, writeTuningFile } from '../../../engine/compile/tuning-file.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc } from '../../unetc.ts';

const at = temporaryFolder();

const TUNING = {
  unetc: '0.1.0',
  target: 'software',
  adapter: { name: 'llvmpipe', driver: 'Mesa 25' },
  groups: {
    'conv 1>32 3x3 s1 p1 28x28': { 'direct 32x32': 700.1 },
    'conv 128>64 1x1 s1 p0 7x7': { 'direct 32x32': 12 },
  },
};

function written(change: object = {}): string {
  writeTuningFile(at('tuning.json'), TUNING);
  const document = { ...JSON.parse(fs.readFileSync(at('tuning.json'), 'utf8')), ...change };
  fs.writeFileSync(at('tuning.json'), JSON.stringify(document));
  return at('tuning.json');
}

test('what is written is read back, groups in order of their keys', () => {
  const file = readTuningFile(written());
  expect(file).toEqual({ format: 'unetc-tuning', version: 1, ...TUNING });
  expect(Object.keys(file.groups)).toEqual(Object.keys(TUNING.groups).sort());
});

describe('a bad file', () => {
  it.each<[string, object, RegExp]>([
    ['of another kind', { format: 'unetc-bundle' }, /tuning\.json: \/format: /],
    ['of a later version', { version: 2 }, /\/version: /],
    ['with an unknown key', { more: 1 }, /"more"/],
    [
      'with a time that is none',
      { groups: { 'a/b': { 'direct 8x32': 0 } } },
      /\/groups\/a~1b\/direct 8x32: /,
    ],
    ['with a candidate that is none', { groups: { a: { fast: 1 } } }, /\/groups\/a\/fast: /],
  ])('%s is named with its place', (_, change, message) => {
    expect(() => readTuningFile(written(change))).toThrow(message);
  });

  it('that is no JSON, or not there, ends the command with exit 5', async () => {
    fs.writeFileSync(at('text.json'), '{');
    const compile = (file: string) =>
      unetc('compile', 'graphs/mnist.json', '--emit', 'schedule', '--target', 'software', '--tuning', file);
    expect(await compile(at('text.json'))).toMatchObject({
      exit: 5,
      stderr: expect.stringMatching(/no JSON.*unetc tune/),
    });
    expect((await compile(at('missing.json'))).exit).toBe(5);
  });
});

describe('--tuning', () => {
  it('is what ships where it is left out, and nothing for none', () => {
    expect(Object.keys(shippedTuning(SOFTWARE) ?? {}).length).toBeGreaterThan(20);
    expect(tuningFor(SOFTWARE, {})).toEqual(shippedTuning(SOFTWARE));
    expect(tuningFor(GENERIC, {})).toBeUndefined();
    expect(tuningFor(SOFTWARE, { tuning: 'none' })).toBeUndefined();
  });

  it('refuses a file of another target', () => {
    expect(tuningFor(SOFTWARE, { tuning: written() })).toEqual(TUNING.groups);
    expect(() => tuningFor(GENERIC, { tuning: written() })).toThrow(
      /for target software.*for generic.*unetc tune/,
    );
  });

  it('takes a file of another adapter with a note', () => {
    const adapter = {
      ...{ vendor: '', architecture: '', device: 'llvmpipe', description: 'Mesa 25', backend: 'vulkan' },
      ...{ isFallback: true, subgroupMinSize: 8, subgroupMaxSize: 8 },
    };
    expect(foreignTuning({ tuning: written() }, adapter)).toBeNull();
    const note = foreignTuning({ tuning: written() }, { ...adapter, description: 'Mesa 26' });
    expect(note).toContain('measured on llvmpipe (Mesa 25), another adapter');
    expect(foreignTuning({}, { ...adapter, description: 'Mesa 26' })).toBeNull();
  });

  it('changes the schedule that is printed', async () => {
    const emit = async (...words: string[]) => {
      const all = ['--emit', 'schedule', '--target', 'software', ...words];
      return (await unetc('compile', 'graphs/mnist.json', ...all)).stdout;
    };
    expect(await emit()).toContain('chosen[measured ');
    expect(await emit('--tuning', 'none')).not.toContain('measured');
    expect(await emit('--tuning', written())).toContain('chosen[measured direct 32x32 700 us]');
  });
});
