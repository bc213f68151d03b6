// Folders of samples that somebody has changed: nothing outside of them is touched, and chains that are not as they were
// saved are not gone on with.

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SampleWords } from '../../../cli/words/sample.ts';
import { isInside } from '../../../engine/jobs/inside.ts';
import { bytesInMemory } from '../../../runtime/bytes.ts';
import { RuntimeError } from '../../../runtime/errors.ts';
import { asFloat32, readHeader, readTensors } from '../../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { recordingContext } from '../../recording-context.ts';
import { fakeOpener, runFake, sampleWords } from '../../sampling-run.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const words = (more: Partial<SampleWords> = {}): SampleWords =>
  sampleWords(at('out'), { seeds: '0-4', batch: '2', ...more });
const run = (more: Partial<SampleWords> = {}) => runFake(words(more), fakeOpener().open);

/** A file that must stay as it is, beside the folder of samples. */
function victim(): string {
  const file = at('victim.png');
  fs.writeFileSync(file, 'precious');
  return file;
}

const refused = async (more: Partial<SampleWords>, message: RegExp) => {
  const error = await run(more).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ kind: 'output' });
  expect(String(error)).toMatch(message);
};

describe('a manifest', () => {
  test.each([
    '../victim.png',
    '/etc/passwd',
    'a\n/../../victim.png',
    'a/../../victim.png',
    'a//b',
    './victim.png',
    'a\\..\\b',
    'a\u0000b',
    '',
  ])('that names %j is refused', async (file) => {
    expect(isInside(file)).toBe(false);
    await run();
    const precious = victim();
    const manifest = at('out/manifest.json');
    const json = JSON.parse(fs.readFileSync(manifest, 'utf8'));
    json.samples[0].file = file;
    fs.writeFileSync(manifest, JSON.stringify(json));
    for (const resume of [true, false]) await refused({ resume }, /no manifest of samples: .*leads out/);
    expect(fs.readFileSync(precious, 'utf8')).toBe('precious');
  });

  test('that names what no job writes has that left alone', async () => {
    await run();
    fs.writeFileSync(at('out/notes.txt'), 'mine');
    const manifest = at('out/manifest.json');
    const json = JSON.parse(fs.readFileSync(manifest, 'utf8'));
    json.files.push({ file: 'notes.txt', sha256: '0'.repeat(64) });
    fs.writeFileSync(manifest, JSON.stringify(json));
    await run({ resume: false });
    expect(fs.readFileSync(at('out/notes.txt'), 'utf8')).toBe('mine');
  });
});

describe('a link that leads out of the folder is refused', () => {
  test.each(['000000.png', 'contact-sheet.png', 'manifest.json', 'trajectory/000000.png'])(
    'in the place of %s',
    async (name) => {
      await run({ trajectory: 'strip' });
      const precious = victim();
      for (const resume of [true, false]) {
        fs.rmSync(at(`out/${name}`), { force: true });
        fs.symlinkSync(precious, at(`out/${name}`));
        await refused({ trajectory: 'strip', resume }, /this is a link/);
        expect(fs.readFileSync(precious, 'utf8')).toBe('precious');
      }
    },
  );

  test.each(['.unetc', '.unetc/job', 'trajectory', '.unetc/job/samples', '.unetc/job/lock'])(
    'in the place of the folder %s',
    async (name) => {
      fs.mkdirSync(at('elsewhere'));
      fs.writeFileSync(at('elsewhere/.000000.png.00000000.tmp'), 'precious');
      fs.mkdirSync(path.dirname(at(`out/${name}`)), { recursive: true });
      fs.symlinkSync(at('elsewhere'), at(`out/${name}`));
      for (const resume of [true, false]) await refused({ trajectory: 'strip', resume }, /this is a link/);
      expect(fs.readdirSync(at('elsewhere'))).toEqual(['.000000.png.00000000.tmp']);
    },
  );
});

describe('chains that were stopped', () => {
  const file = () => at('out/.unetc/job/chains.safetensors');

  async function stop(): Promise<void> {
    const controller = new AbortController();
    const { open } = fakeOpener({}, (_output, pass) => {
      if (pass === 2) controller.abort(new Error('interrupted'));
    });
    const context = recordingContext({ signal: controller.signal });
    await expect(runFake(words(), open, context)).rejects.toThrow('interrupted');
  }

  /** The file with other tensors or metadata. */
  function rewrite(
    change: (
      tensors: Map<string, { shape: readonly number[]; data: Float32Array }>,
      metadata: Map<string, string>,
    ) => void,
  ): void {
    const origin = { kind: 'output', label: file() } as const;
    const bytes = fs.readFileSync(file());
    const metadata = new Map(readHeader(bytesInMemory(bytes, origin), origin).metadata);
    const tensors = new Map(
      [...readTensors(bytes, origin)].map(([name, tensor]) => {
        const { shape, data } = asFloat32(tensor);
        return [name, { shape, data: Float32Array.from(data) }];
      }),
    );
    change(tensors, metadata);
    fs.writeFileSync(file(), Buffer.concat([writeTensors(tensors, Object.fromEntries(metadata))].flat()));
  }

  test.each<[string, Parameters<typeof rewrite>[0], RegExp]>([
    [
      'with another float',
      (tensors) => {
        tensors.get('0.x')!.data[3]! += 0.5;
      },
      /not those that were saved/,
    ],
    [
      'at another step',
      (_, metadata) => {
        metadata.set('places', metadata.get('places')!.replace(/"index":\d+/, '"index":0'));
      },
      /not those that were saved/,
    ],
    [
      'without places',
      (_, metadata) => {
        metadata.delete('places');
      },
      /places do not say/,
    ],
    [
      'with places of another type',
      (_, metadata) => {
        metadata.set('places', '{"seed":"zero"}');
      },
      /places do not say/,
    ],
    [
      'with a step beyond all',
      (_, metadata) => {
        metadata.set('places', '[{"seed":0,"index":1e9}]');
      },
      /damaged/,
    ],
    [
      'with an x that is too short',
      (tensors) => {
        tensors.set('0.x', { shape: [3], data: new Float32Array(3) });
      },
      /not those that were saved/,
    ],
    [
      'without a checksum',
      (_, metadata) => {
        metadata.delete('sha256');
      },
      /not those that were saved/,
    ],
  ])('%s are refused, and begun anew where that is asked for', async (_, change, message) => {
    await stop();
    rewrite(change);
    await refused({}, message);
    await refused({}, /begin anew with resume: false|begin anew with --no-resume/);
    expect(await run({ resume: false })).toMatchObject({ resumed: 0, samples: 5 });
  });

  test('are kept where the GPU fails on the way', async () => {
    const { open } = fakeOpener({}, (_output, pass) => {
      if (pass === 3) throw new RuntimeError('gpu', 'kernels/conv.wgsl did not end within 60 s');
    });
    await expect(runFake(words(), open)).rejects.toThrow('did not end');
    expect(fs.existsSync(file())).toBe(true);
    const { open: again, opened } = fakeOpener();
    await runFake(words(), again);
    // five samples of four steps in batches of two, of which two steps of the first were done
    expect(opened.model!.passes).toHaveLength(3 * 4 - 2);
  });
});
