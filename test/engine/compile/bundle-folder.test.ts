import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { bundleFiles, readBundle, writeBundle } from '../../../engine/compile/bundle-folder.ts';
import { readModel } from '../../../engine/model/model-source.ts';
import { digestedText, formatManifest } from '../../../runtime/bundle.ts';
import { RuntimeError } from '../../../runtime/errors.ts';
import { goldenGraph } from '../../golden-cases.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const { bundle } = compileGraph(loadGraph(goldenGraph('tiny-1d'), 'tiny-1d').graph, { batch: 2 });

/** Writes the bundle and changes one of its files. */
function damaged(file: string, change: (text: string) => string): string {
  writeBundle(at('b'), bundleFiles(bundle));
  const text = change(fs.readFileSync(at('b', file), 'utf8'));
  fs.writeFileSync(at('b', file), text);
  return at('b');
}

const inManifest = (from: string | RegExp, to: string) =>
  damaged('manifest.json', (text) => {
    expect(text).toMatch(from);
    return text.replace(from, to);
  });

/** The same, with the manifest's digest put right: what the digest cannot see. */
const inGraph = (from: string, to: string) =>
  damaged('manifest.json', (text) => {
    expect(text).toMatch(from);
    const manifest = JSON.parse(text.replace(from, to));
    const sha256 = createHash('sha256').update(digestedText(manifest)).digest('hex');
    return formatManifest({ ...manifest, sha256 });
  });

describe('a bundle on disk', () => {
  test('is read back as it was', async () => {
    writeBundle(at('b'), bundleFiles(bundle));
    const read = await readBundle(at('b'));
    expect(read.manifest).toEqual(JSON.parse(JSON.stringify(bundle.manifest)));
    expect([...read.kernels]).toEqual([...bundle.kernels]);
    const source = await readModel(at('b'), {});
    expect(source).toMatchObject({ kind: 'bundle', label: at('b') });
    expect(source.graph).toEqual(loadGraph(goldenGraph('tiny-1d'), 'tiny-1d').graph);
  });

  const kernel = bundle.manifest.kernels[0]!.file;
  test.each<[string, () => string, string]>([
    ['a folder that is missing', () => at('none'), 'there is no such folder'],
    ['a folder without a manifest', () => at(), 'holds no manifest.json'],
    ['a kernel that was edited', () => damaged(`kernels/${kernel}`, (text) => `${text} `), 'has SHA-256'],
    ['a manifest that is no JSON', () => damaged('manifest.json', (text) => text.slice(1)), 'is no JSON'],
    [
      'a manifest of another version',
      () => inManifest('"version": 3', '"version": 2'),
      'has version 2, which unetc 0.1.0 wrote',
    ],
    ['a manifest with a strange key', () => inManifest('"taps"', '"tabs"'), 'manifest.json:/'],
    ['a manifest that was edited', () => inManifest('"dims": 1', '"dims": 2'), 'it was changed after'],
    ['a graph that is none', () => inGraph('"dims": 1', '"dims": 4'), 'not a graph of this version'],
    [
      'a graph of another process',
      () => inGraph('"noise_schedule": "linear"', '"noise_schedule": "cosine"'),
      "its diffusion has noise_schedule cosine, the bundle's linear",
    ],
    [
      'outputs of another name',
      () => inGraph('"name": "output"', '"name": "result"'),
      'its outputs are not those of the bundle',
    ],
    [
      'an input of another name',
      () => inGraph('"name": "x"', '"name": "z"'),
      'its inputs are not those of the bundle',
    ],
    [
      'timesteps that are embedded in another order',
      () => inGraph('"order": "cos_sin"', '"order": "sin_cos"'),
      'its inputs are not those of the bundle',
    ],
    [
      'an output in another encoding',
      () => inGraph('"name": "output",\n   "encoding": "image"', '"name": "output",\n   "encoding": "plain"'),
      'its outputs are not those of the bundle',
    ],
    ['a graph of other weights', () => inGraph('"kernel": 3', '"kernel": 1'), 'manifest.json:/graph'],
  ])('%s is a fault of the bundle', async (_, make, message) => {
    const folder = make();
    const reading = readBundle(folder).then(() => readModel(folder, {}));
    await expect(reading).rejects.toThrow(RuntimeError);
    await expect(reading).rejects.toMatchObject({ kind: 'bundle' });
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(folder);
  });

  test('a kernel that is missing is named', async () => {
    writeBundle(at('b'), bundleFiles(bundle));
    fs.rmSync(at('b', 'kernels', kernel));
    await expect(readBundle(at('b'))).rejects.toThrow(`kernels/${kernel} is missing`);
  });
});
