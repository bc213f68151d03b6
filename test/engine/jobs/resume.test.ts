// Runs that are stopped and go on: what was done is kept, what comes out has the bytes of a run that was not stopped.

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SampleWords } from '../../../cli/words/sample.ts';
import type { FakeModel } from '../../fake-model.ts';
import { recordingContext } from '../../recording-context.ts';
import { fakeOpener, runFake, sampleWords } from '../../sampling-run.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();

/** The files of a folder of samples that a person or a script looks at, with their bytes in hexadecimal. */
function contents(folder: string): Record<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => fs.statSync(path.join(folder, name)).isFile());
  return Object.fromEntries(
    files.sort().map((name) => [name, fs.readFileSync(path.join(folder, name)).toString('hex')]),
  );
}

const words = (out: string, more: Partial<SampleWords> = {}): SampleWords =>
  sampleWords(at(out), { seeds: '0-4', batch: '2', ...more });

/** The words of a classifier with labels. */
const GUIDED = { classifier: 'c.json', classifierWeights: 'hash:2', classifierScale: '3', class: '1-3' };

/** Runs a job until the model was called `passes` times; then a signal comes. */
async function stopAfter(passes: number, job: SampleWords): Promise<FakeModel> {
  const controller = new AbortController();
  const { open, opened } = fakeOpener({}, (_output, pass) => {
    if (pass === passes) controller.abort(new Error('interrupted'));
  });
  const context = recordingContext({ signal: controller.signal });
  await expect(runFake(job, open, context)).rejects.toThrow('interrupted');
  return opened.model!;
}

async function resume(job: SampleWords): Promise<{ resumed: number; passes: number }> {
  const { open, opened } = fakeOpener();
  const { resumed } = await runFake(job, open);
  return { resumed, passes: opened.model!.passes.length };
}

describe('a run that a signal stopped', () => {
  test.each<[string, Partial<SampleWords>]>([
    ['ddpm', {}],
    ['ddim with noise', { eta: '0.5' }],
    ['DPM-Solver++', { sampler: 'dpmpp' }],
    ['a classifier', GUIDED],
    ['a classifier and DPM-Solver++', { ...GUIDED, sampler: 'dpmpp' }],
    ['trajectories', { trajectory: 'strip' }],
    ['safetensors', { format: 'safetensors' }],
    ['npz', { format: 'npz' }],
    ['npy', { format: 'npy' }],
  ])('goes on in the middle of its chains: %s', async (_, more) => {
    await runFake(words('whole', more));
    // two batches of four steps are done, and two steps of the last
    await stopAfter(6, words('stopped', more));
    expect(fs.existsSync(at('stopped/manifest.json'))).toBe(false);
    expect(await resume(words('stopped', { ...more, batch: '3' }))).toEqual({ resumed: 2, passes: 2 + 4 });
    expect(contents(at('stopped'))).toEqual(contents(at('whole')));
  });

  test('whatever the step it is stopped at, and again', async () => {
    await runFake(words('whole'));
    for (let passes = 1; passes <= 11; passes++) await stopAfter(1, words('stopped'));
    expect(await resume(words('stopped'))).toEqual({ resumed: 4, passes: 1 });
    expect(contents(at('stopped'))).toEqual(contents(at('whole')));
  });

  test('is complete when it is run once more, and computes nothing', async () => {
    await runFake(words('whole'));
    const before = contents(at('whole'));
    expect(await resume(words('whole'))).toEqual({ resumed: 5, passes: 0 });
    expect(contents(at('whole'))).toEqual(before);
  });

  test('begins anew where that is asked for, and leaves nothing of the old job', async () => {
    await runFake(words('out', { seeds: '0-9' }));
    expect(await resume(words('out', { resume: false }))).toEqual({ resumed: 0, passes: 12 });
    await runFake(words('whole'));
    expect(contents(at('out'))).toEqual(contents(at('whole')));
  });
});

describe('a run that died', () => {
  test('goes on from the last checkpoint', async () => {
    await runFake(words('whole'));
    const dies = fakeOpener({}, (_output, pass) => {
      if (pass === 8) throw new Error('the machine stopped');
    });
    await expect(runFake(words('stopped', { checkpointEvery: '2' }), dies.open)).rejects.toThrow(
      'the machine',
    );
    expect(await resume(words('stopped'))).toEqual({ resumed: 2, passes: 2 + 4 });
    expect(contents(at('stopped'))).toEqual(contents(at('whole')));
  });

  test('leaves no temporaries, and its torn journal and lock are no hindrance', async () => {
    await runFake(words('whole'));
    await stopAfter(6, words('stopped'));
    const state = at('stopped/.unetc/job');
    for (const name of ['.000003.png.0123abcd.tmp', '.manifest.json.0123abcd.tmp']) {
      fs.writeFileSync(at('stopped', name), 'half');
    }
    fs.writeFileSync(path.join(state, '.chains.safetensors.0123abcd.tmp'), 'half');
    fs.appendFileSync(path.join(state, 'journal.jsonl'), '{"seed":4,"fi');
    expect(await resume(words('stopped'))).toMatchObject({ resumed: 2 });
    expect(contents(at('stopped'))).toEqual(contents(at('whole')));
  });

  test('a picture that is gone, or has other bytes, is made again', async () => {
    await runFake(words('whole'));
    const whole = contents(at('whole'));
    fs.rmSync(at('whole/000003.png'));
    fs.writeFileSync(at('whole/000001.png'), 'something else');
    expect(await resume(words('whole'))).toMatchObject({ resumed: 3 });
    expect(contents(at('whole'))).toEqual(whole);
  });
});

describe('another job in the folder is refused with what differs', () => {
  test.each<[Partial<SampleWords>, string]>([
    [{ steps: '5' }, 'steps: there 4, here 5'],
    [{ sampler: 'ddim' }, 'sampler: there ddpm, here ddim'],
    [{ seeds: '0-5' }, 'seeds: there 0-4, here 0-5'],
    [{ weights: 'hash:2' }, 'weights: there hash:1, here hash:2'],
    [{ format: 'npz' }, 'format: there png, here npz'],
    [{ shard: '0/2', steps: '5' }, 'steps: there 4, here 5'],
  ])('%o', async (more, message) => {
    await runFake(words('out'));
    const before = contents(at('out'));
    const { open, opened } = fakeOpener();
    const refused = runFake(words('out', more), open);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ kind: 'output' });
    expect(opened.model!.passes).toHaveLength(0);
    expect(contents(at('out'))).toEqual(before);
  });

  test('of one under way too', async () => {
    await stopAfter(6, words('out'));
    await expect(runFake(words('out', { steps: '5' }))).rejects.toThrow('steps: there 4, here 5');
  });

  test('but another batch, shard or adapter is the same job', async () => {
    await runFake(words('out', { shard: '0/2' }));
    await runFake(words('out', { shard: '1/2', batch: '3' }));
    await runFake(words('whole'));
    const pictures = (folder: string) =>
      Object.entries(contents(at(folder))).filter(([name]) => /^\d+\.png$/.test(name));
    expect(pictures('out')).toEqual(pictures('whole'));
    expect(pictures('out')).toHaveLength(5);
  });
});
