import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkMerged } from '../../../cli/commands/merge.ts';
import type { SampleWords } from '../../../cli/words/sample.ts';
import { type MergeResult, mergeShards } from '../../../engine/jobs/merge.ts';
import { fakeOpener, runFake, sampleWords } from '../../sampling-run.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const MODEL = { num_classes: 10 };

function run(out: string, more: Partial<SampleWords> = {}): Promise<unknown> {
  const words = sampleWords(at(out), { seeds: '0-11', class: '0-9', ...more });
  return runFake(words, fakeOpener(MODEL).open);
}

const messageOf = (result: MergeResult): string => {
  try {
    checkMerged(result);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

beforeEach(async () => {
  for (const [i, batch] of ['2', '3', '5'].entries()) await run(`part${i}`, { shard: `${i}/3`, batch });
});
const parts = (...list: readonly number[]): string[] => list.map((i) => at(`part${i}`));

describe('shards that cover a job once', () => {
  test('are accepted, and make the same archive as the job in one process', async () => {
    await run('one');
    const merged = mergeShards(parts(2, 0, 1), null, at('merged.npz'));
    expect(merged).toMatchObject({ samples: 12, missing: [], faults: [], out: at('merged.npz') });
    mergeShards([at('one')], null, at('one.npz'));
    await run('npz', { format: 'npz' });
    const archive = fs.readFileSync(at('merged.npz'));
    expect(archive.equals(fs.readFileSync(at('one.npz')))).toBe(true);
    expect(archive.equals(fs.readFileSync(at('npz/samples.npz')))).toBe(true);
  });

  test('in one folder, or in folders below one', async () => {
    for (const shard of ['0/2', '1/2']) await run('both', { shard });
    expect(mergeShards([at('both')], null, null)).toMatchObject({ samples: 12, missing: [], faults: [] });
    fs.mkdirSync(at('all'));
    for (const i of [0, 1, 2]) fs.renameSync(at(`part${i}`), at(`all/${i}`));
    expect(mergeShards([at('all')], null, null)).toMatchObject({ samples: 12, missing: [], faults: [] });
  });

  test.each(['npz', 'npy', 'safetensors'])('in %s', async (format) => {
    for (const shard of ['0/2', '1/2']) await run(`${shard[0]}-${format}`, { shard, format });
    const merged = mergeShards([at(`0-${format}`), at(`1-${format}`)], null, at('merged.npz'));
    expect(merged).toMatchObject({ samples: 12, missing: [], faults: [] });
    mergeShards(parts(0, 1, 2), null, at('pictures.npz'));
    expect(fs.readFileSync(at('merged.npz')).equals(fs.readFileSync(at('pictures.npz')))).toBe(true);
  });

  test('make an archive that NumPy reads', async (context) => {
    mergeShards(parts(0, 1, 2), null, at('merged.npz'));
    const script =
      'import sys, numpy as np; z = np.load(sys.argv[1]); a, y = z["arr_0"], z["arr_1"]; ' +
      'print(sorted(z.files), a.dtype, a.shape, y.dtype, y.tolist())';
    let printed: string;
    try {
      execFileSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' });
      printed = execFileSync('python3', ['-c', script, at('merged.npz')], { encoding: 'utf8' });
    } catch {
      return context.skip();
    }
    expect(printed).toBe(
      "['arr_0', 'arr_1'] uint8 (12, 4, 6, 3) int64 [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]\n",
    );
  });
});

describe('what is not as it should be is named, and nothing is written', () => {
  const merge = (places: readonly string[], seeds: readonly number[] | null = null): string => {
    const result = mergeShards(places, seeds, at('merged.npz'));
    expect(result.out).toBeNull();
    expect(fs.existsSync(at('merged.npz'))).toBe(false);
    return messageOf(result);
  };

  test('a shard that is missing, as the shard to run again', () => {
    expect(merge(parts(0, 2))).toBe('samples 4-7 are missing; run the same command again with --shard 1/3');
  });

  test('a file that is missing', () => {
    fs.rmSync(at('part1/000005.png'));
    expect(merge(parts(0, 1, 2))).toBe(
      `sample 5: ${at('part1/000005.png')} is missing\n` +
        'samples 5 are missing; run the same command again with --shard 1/3',
    );
  });

  test('a file that was changed', () => {
    fs.copyFileSync(at('part1/000005.png'), at('part1/000006.png'));
    expect(merge(parts(0, 1, 2))).toContain(
      `${at('part1/000006.png')} has other bytes than its manifest says`,
    );
  });

  test('a shard that is there twice', () => {
    fs.cpSync(at('part1'), at('copy'), { recursive: true });
    const message = merge([...parts(0, 1, 2), at('copy')]);
    expect(message).toContain(
      `sample 4 is there twice: by ${at('part1/manifest-1-of-3.json')} and ${at('copy')}`,
    );
  });

  test('a file that is in no manifest', () => {
    fs.copyFileSync(at('part1/000005.png'), at('part1/000099.png'));
    expect(merge(parts(0, 1, 2))).toBe(`${at('part1/000099.png')} is in no manifest`);
  });

  test('samples beyond those that were asked for, and those asked for that nobody made', () => {
    const seeds = Array.from({ length: 12 }, (_, k) => k + 2);
    expect(merge(parts(0, 1, 2), seeds)).toBe(
      'samples 0-1 are there, and nobody asked for them\nsamples 12-13 are missing; run them with --seeds 12-13',
    );
  });

  test('a shard of another job', async () => {
    await run('other', { shard: '1/3', steps: '5' });
    expect(merge([...parts(0, 2), at('other')])).toContain('steps: first 4, then 5');
  });

  test('a folder that holds no manifest', () => {
    fs.mkdirSync(at('empty'));
    expect(() => mergeShards([at('empty')], null, null)).toThrow('there is no manifest of samples');
    fs.writeFileSync(at('empty/manifest.json'), '{}');
    expect(() => mergeShards([at('empty')], null, null)).toThrow('no manifest of samples');
  });
});
