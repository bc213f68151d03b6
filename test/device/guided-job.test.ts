// A guided sampling job from graph files and weights to its file, on the adapter and on the reference executor.

import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jobHostOf } from '../../cli/sample-progress.ts';
import { parseJob, type SampleWords } from '../../cli/words/sample.ts';
import { compileModel } from '../../engine/compile/compile-model.ts';
import { silentHost } from '../../engine/host.ts';
import { runSampling } from '../../engine/jobs/run.ts';
import { openGuidedModel } from '../../engine/model/open-guided.ts';
import { asFloat32, readTensors } from '../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { GUIDED_CASES, rowsOf } from '../guided-cases.ts';
import { relativeError } from '../on-device.ts';
import { recordingContext } from '../recording-context.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const golden = GUIDED_CASES.find(({ name }) => name === 'guided-ddim')!;
const { model, classifier, scale, respacing, tensors } = golden;

/** Writes graphs and noise, and gives the words of the golden chain. */
function golden10(out: string): SampleWords {
  fs.writeFileSync(at('m.json'), model.text);
  fs.writeFileSync(at('c.json'), classifier.text);
  const { shape, data } = tensors('chain.noise');
  const y = { shape: [2], data: BigInt64Array.from(Array.from(tensors('y').data), BigInt) };
  const noise = { shape, data: Float32Array.from(data) };
  const file = new Map<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }>([
    ['noise', noise],
    ['y', y],
  ]);
  fs.writeFileSync(at('noise.safetensors'), writeTensors(file));
  return {
    ...{ output: at(out), weights: `hash:${model.seed}`, noise: at('noise.safetensors'), steps: respacing },
    ...{
      classifier: at('c.json'),
      classifierWeights: `hash:${classifier.seed}`,
      classifierScale: `${scale}`,
    },
    format: 'safetensors',
  };
}

async function samplesOf(graph: string, words: SampleWords): Promise<Float32Array> {
  const job = parseJob(at(graph), words);
  await runSampling(job, jobHostOf(recordingContext(), 'none'), openGuidedModel);
  const file = `${words.output}/samples.safetensors`;
  const found = readTensors(fs.readFileSync(file), { kind: 'output', label: file }).get('samples')!;
  return Float32Array.from(asFloat32(found).data);
}

describe('the golden chain as a job', () => {
  const expected = rowsOf(tensors, 'chain.sample').flatMap((row) => Array.from(row));
  const worst = (found: Float32Array) => Math.max(...found.map((v, i) => Math.abs(v - expected[i]!)));

  test('from graphs, from bundles, and without a GPU', async () => {
    const words = golden10('graphs');
    expect(worst(await samplesOf('m.json', words))).toBeLessThan(1e-3);

    const settings = { batch: 1, target: 'generic' };
    const bundle = { stage: null, types: false };
    await compileModel(at('m.json'), { settings, output: at('m'), ...bundle }, silentHost());
    const differentiated = { settings: { ...settings, gradient: true }, output: at('c'), ...bundle };
    await compileModel(at('c.json'), differentiated, silentHost());
    const bundles = { ...words, classifier: at('c'), output: at('bundles') };
    expect(worst(await samplesOf('m', bundles))).toBeLessThan(1e-3);
    // a graph beside a bundle takes its batch
    expect(worst(await samplesOf('m.json', { ...bundles, output: at('beside') }))).toBeLessThan(1e-3);

    const reference = { ...words, reference: true, steps: '2', output: at('reference') };
    const here = await samplesOf('m.json', { ...words, steps: '2', output: at('two') });
    expect(relativeError(here, await samplesOf('m.json', reference))).toBeLessThan(1e-4);
  });

  test('in float16: both, the model alone, the classifier alone', async () => {
    const words = { ...golden10('f32'), steps: '3' };
    const exact = await samplesOf('m.json', words);
    const f16 = { ...words, precision: 'f16' };
    const both = await samplesOf('m.json', { ...f16, output: at('both') });
    const alone = await samplesOf('m.json', { ...f16, classifierPrecision: 'f32', output: at('alone') });
    const guide = await samplesOf('m.json', { ...words, classifierPrecision: 'f16', output: at('guide') });
    for (const found of [both, alone, guide]) {
      expect(relativeError(found, exact)).toBeGreaterThan(1e-7);
      expect(relativeError(found, exact)).toBeLessThan(2e-2);
    }
    expect(both).not.toEqual(alone);
    expect(both).not.toEqual(guide);
  });

  test('a bundle without a gradient, and a limit that is too low, are refused', async () => {
    const words = golden10('out');
    const settings = { batch: 2, target: 'generic' };
    const job = { settings, output: at('c'), stage: null, types: false };
    await compileModel(at('c.json'), job, silentHost());
    await expect(samplesOf('m.json', { ...words, classifier: at('c') })).rejects.toThrow(
      /it was compiled without its gradient; compile it again with --gradient/,
    );
    await expect(samplesOf('m.json', { ...words, memory: '2MB' })).rejects.toThrow(
      /adm with adm_classifier for 2 images of 16x16 takes .* this is the least that its kernels need/,
    );
    fs.writeFileSync(
      at('c.json'),
      JSON.stringify({ ...JSON.parse(classifier.text), diffusion: { steps: 4000 } }),
    );
    const notes: string[] = [];
    const { options } = parseJob(at('m.json'), { ...words, batch: '2' });
    const opened = await openGuidedModel(at('m.json'), { ...options, reference: true }, silentHost(notes));
    await opened.close();
    expect(notes.join()).toMatch(/c\.json: its diffusion has steps 4000 and not 1000 as .*m\.json/);
  });
});
