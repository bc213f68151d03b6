import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkMerged } from '../../../cli/commands/merge.ts';
import type { SampleWords } from '../../../cli/words/sample.ts';
import { type MergeResult, mergeShards as mergeUnder } from '../../../engine/jobs/merge.ts';
import { fakeOpener, runFake, sampleWords } from '../../sampling-run.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const mergeShards = (places: readonly string[], seeds: readonly number[] | null, out: string | null) =>
  mergeUnder(places, seeds, out, new AbortController().signal);
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
    const merged = await mergeShards(parts(2, 0, 1), null, at('merged.npz'));
    expect(merged).toMatchObject({ samples: 12, missing: [], faults: [], out: at('merged.npz') });
    await mergeShards([at('one')], null, at('one.npz'));
    await run('npz', { format: 'npz' });
    const archive = fs.readFileSync(at('merged.npz'));
    expect(archive.equals(fs.readFileSync(at('one.npz')))).toBe(true);
    expect(archive.equals(fs.readFileSync(at('npz/samples.npz')))).toBe(true);
  });

  test('in one folder, or in folders below one', async () => {
    for (const shard of ['0/2', '1/2']) await run('both', { shard });
    expect(await mergeShards([at('both')], null, null)).toMatchObject({
      samples: 12,
      missing: [],
      faults: [],
    });
    fs.mkdirSync(at('all'));
    for (const i of [0, 1, 2]) fs.renameSync(at(`part${i}`), at(`all/${i}`));
    expect(await mergeShards([at('all')], null, null)).toMatchObject({
      samples: 12,
      missing: [],
      faults: [],
    });
  });

  test.each(['npz', 'npy', 'safetensors'])('in %s', async (format) => {
    for (const shard of ['0/2', '1/2']) await run(`${shard[0]}-${format}`, { shard, format });
    const merged = await mergeShards([at(`0-${format}`), at(`1-${format}`)], null, at('merged.npz'));
    expect(merged).toMatchObject({ samples: 12, missing: [], faults: [] });
    await mergeShards(parts(0, 1, 2), null, at('pictures.npz'));
    expect(fs.readFileSync(at('merged.npz')).equals(fs.readFileSync(at('pictures.npz')))).toBe(true);
  });

  test('make an archive that NumPy reads', async (context) => {
    await mergeShards(parts(0, 1, 2), null, at('merged.npz'));
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

test('a merge that is stopped leaves nothing', async () => {
  const controller = new AbortController();
  controller.abort(new Error('stopped'));
  const shards = mergeUnder(parts(0, 1, 2), null, at('m.npz'), controller.signal);
  const before = fs.readdirSync(at());
  await expect(shards).rejects.toThrow('stopped');
  expect(fs.readdirSync(at())).toEqual(before);
});

describe('what is not as it should be is named, and nothing is written', () => {
  const merge = async (
    places: readonly string[],
    seeds: readonly number[] | null = null,
  ): Promise<string> => {
    const result = await mergeShards(places, seeds, at('merged.npz'));
    expect(result.out).toBeNull();
    expect(fs.existsSync(at('merged.npz'))).toBe(false);
    return messageOf(result);
  };

  test('a shard that is missing, as the shard to run again', async () => {
    expect(await merge(parts(0, 2))).toBe(
      'samples 4-7 are missing; run the same command again with --shard 1/3',
    );
  });

  test('a file that is missing', async () => {
    fs.rmSync(at('part1/000005.png'));
    expect(await merge(parts(0, 1, 2))).toBe(
      `sample 5: ${at('part1/000005.png')} is missing\n` +
        'samples 5 are missing; run the same command again with --shard 1/3',
    );
  });

  test('a file that was changed', async () => {
    fs.copyFileSync(at('part1/000005.png'), at('part1/000006.png'));
    expect(await merge(parts(0, 1, 2))).toContain(
      `${at('part1/000006.png')} has other bytes than its manifest says`,
    );
  });

  test('a shard that is there twice', async () => {
    fs.cpSync(at('part1'), at('copy'), { recursive: true });
    const message = await merge([...parts(0, 1, 2), at('copy')]);
    expect(message).toContain(
      `sample 4 is there twice: by ${at('part1/manifest-1-of-3.json')} and ${at('copy')}`,
    );
  });

  test('a file that is in no manifest', async () => {
    fs.copyFileSync(at('part1/000005.png'), at('part1/000099.png'));
    expect(await merge(parts(0, 1, 2))).toBe(`${at('part1/000099.png')} is in no manifest`);
  });

  test('samples beyond those that were asked for, and those asked for that nobody made', async () => {
    const seeds = Array.from({ length: 12 }, (_, k) => k + 2);
    expect(await merge(parts(0, 1, 2), seeds)).toBe(
      'samples 0-1 are there, and nobody asked for them\nsamples 12-13 are missing; run them with --seeds 12-13',
    );
  });

  test('a shard of another job', async () => {
    await run('other', { shard: '1/3', steps: '5' });
    expect(await merge([...parts(0, 2), at('other')])).toContain('steps: first 4, then 5');
  });

  test('a folder that holds no manifest', async () => {
    fs.mkdirSync(at('empty'));
    await expect(mergeShards([at('empty')], null, null)).rejects.toThrow(
      'there is no manifest; name folders',
    );
    fs.writeFileSync(at('empty/manifest.json'), '{}');
    await expect(mergeShards([at('empty')], null, null)).rejects.toThrow('no manifest of samples');
  });
});
