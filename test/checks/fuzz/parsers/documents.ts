// Documents that the project writes itself and reads again: tunings, rename maps, accepted findings, manifests of
// samples and of bundles.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readRenameMap } from '../../../../engine/checkpoint/rename-map.ts';
import { readTuningFile, writeTuningFile } from '../../../../engine/compile/tuning-file.ts';
import { readAccepted } from '../../../../engine/diff/accepted.ts';
import { readBoundsManifest, writeBoundsManifest } from '../../../../engine/evaluation/manifest.ts';
import { readChains, writeChains } from '../../../../engine/jobs/checkpoint.ts';
import { readManifest, writeManifest } from '../../../../engine/jobs/manifest.ts';
import { graphOfBundle } from '../../../../engine/model/model-source.ts';
import { RUN_MANIFEST, readRunManifest, writeRunManifest } from '../../../../engine/training/run-manifest.ts';
import { digestedText, sha256 } from '../../../../runtime/bundle.ts';
import { parseBundle } from '../../../../runtime/parse-bundle.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { type Json, mutateJson, mutateText, textOfJson } from '../mutate-text.ts';
import { bytesOf, consistent, type Parser, type Refusal, readOr, refused, textOf } from '../parser.ts';
import { type Random, randomOf } from '../random.ts';
import { smallBundle, tuningDocument } from '../seeds.ts';

/** A document changed by value, by token or by byte. */
function documentInput(seeds: readonly Json[]): (random: Random) => Uint8Array {
  const texts = seeds.map((seed) => JSON.stringify(seed, null, 1));
  return (random) => {
    const at = random.below(seeds.length);
    if (random.oneIn(5)) return mutateBytes(bytesOf(texts[at]!), texts.map(bytesOf), random);
    if (random.oneIn(4)) return bytesOf(mutateText(texts[at]!, texts, random));
    return bytesOf(textOfJson(mutateJson(seeds[at]!, seeds, random), random));
  };
}

/** A parser of documents in files. `check` looks again at what was taken. */
function fileParser<T>(
  name: string,
  share: number,
  kinds: readonly Refusal[],
  seeds: readonly Json[],
  open: (file: string) => T,
  check: (found: T, at: (name: string) => string) => void,
): Parser {
  return {
    name,
    share,
    make: documentInput(seeds),
    async read(input, at) {
      writeFileSync(at('input.json'), input);
      const found = await readOr(kinds, () => open(at('input.json')));
      if (found === refused) return false;
      check(found, at);
      return true;
    },
  };
}

const same = (a: unknown, b: unknown, what: string) =>
  consistent(
    JSON.stringify(a) === JSON.stringify(b),
    `${what} is another one when it is written and read again`,
  );

export const tuning = fileParser('tuning', 4, ['input'], [tuningDocument()], readTuningFile, (found, at) => {
  writeTuningFile(at('again.json'), found);
  const again = readTuningFile(at('again.json'));
  consistent(Object.keys(again.groups).length === Object.keys(found.groups).length, 'groups were lost');
});

const RENAMES: Json = {
  ...{ format: 'unetc-rename-map', version: 1, from: 'a.json', to: 'b.json' },
  renames: { 'input_blocks.1.0.in_layers.0.weight': 'input_blocks.2.0.in_layers.0.weight' },
  ...{ zeros: ['out.2.bias'], dropped: ['label_emb.weight'] },
};

export const renameMap = fileParser(
  'rename-map',
  4,
  ['weights'],
  [RENAMES],
  readRenameMap,
  ({ renames, zeros }) => {
    consistent(
      [...renames.values(), ...zeros].every((one) => typeof one === 'string'),
      'a name is no text',
    );
  },
);

const ACCEPTED: Json = {
  ...{ format: 'unetc-accepted', version: 2 },
  graphs: {
    'graphs/a.json': {
      '0123456789ab': { reason: 'trained anew', rule: 'weights/reshaped', place: '/unet', message: 'm' },
    },
  },
};

export const accepted = fileParser('accepted', 4, ['input'], [ACCEPTED], readAccepted, (found) => {
  consistent(typeof found === 'object' && found !== null, 'no findings');
});

const HASH = 'a'.repeat(64);
const MANIFEST: Json = {
  ...{ format: 'unetc-samples', version: 1 },
  recipe: { weights: HASH, steps: '8', eta: null, channels: 1, size: '8x8' },
  job: { samples: 2, seeds: '0-1', classes: null },
  shard: { index: 0, count: 1 },
  adapter: 'llvmpipe',
  samples: [
    { seed: 0, label: 3, file: '000000.png', sha256: HASH },
    {
      seed: 1,
      file: '000001.png',
      sha256: HASH,
      trajectory: { file: 'trajectory/000001.png', sha256: HASH },
    },
  ],
  files: [{ file: 'contact-sheet.png', sha256: HASH }],
};

export const manifest = fileParser(
  'manifest',
  6,
  ['input'],
  [MANIFEST],
  (file) => readManifest(file, 'input'),
  (found, at) => {
    const files = found.samples.flatMap(({ file, trajectory }) => [file, trajectory?.file]);
    for (const file of [...files, ...found.files.map((one) => one.file)]) {
      if (file === undefined) continue;
      const place = path.resolve('/folder', file);
      consistent(place.startsWith('/folder/'), () => `${JSON.stringify(file)} leads out of the folder`);
    }
    same(readManifest(writeManifest(at('again'), found), 'input'), found, 'the manifest');
  },
);

const BOUNDS: Json = {
  ...{ format: 'unetc-bounds', version: 1 },
  recipe: { weights: HASH, steps: '8', clip: 'yes', seed: 0, noise: null, channels: 1, size: '8x8' },
  job: { samples: 2, data: HASH },
  shard: { index: 0, count: 1 },
  adapter: 'llvmpipe',
  samples: [{ sample: 0, name: 'a.png', total_bpd: 3.5, prior_bpd: 0.1 }],
  skipped: [{ sample: 1, name: 'b.png' }],
  files: [{ file: 'bounds.safetensors', sha256: HASH }],
};

export const boundsManifest = fileParser(
  'bounds',
  4,
  ['input'],
  [BOUNDS],
  (file) => readBoundsManifest(file, 'input'),
  (found, at) => {
    for (const { file } of found.files) {
      const place = path.resolve('/folder', file);
      consistent(place.startsWith('/folder/'), () => `${JSON.stringify(file)} leads out of the folder`);
    }
    same(readBoundsManifest(writeBoundsManifest(at('again'), found), 'input'), found, 'the manifest');
  },
);

const RUN: Json = {
  ...{ format: 'unetc-training', version: 1 },
  recipe: { graph: HASH, batch: 4, lr: 0.0001, ema: '0.9999', weights: null },
  checkpoints: [{ step: 10, interim: false, files: [{ file: 'model000010.safetensors', sha256: HASH }] }],
};

/** The manifest of a run of training, which stands in its folder under its own name. */
export const runManifest: Parser = {
  name: 'training-run',
  share: 4,
  make: documentInput([RUN]),
  async read(input, at) {
    mkdirSync(at('run'), { recursive: true });
    writeFileSync(path.join(at('run'), RUN_MANIFEST), input);
    const found = await readOr(['output'], () => readRunManifest(at('run')));
    if (found === refused || found === null) return false;
    for (const { file } of found.checkpoints.flatMap(({ files }) => files)) {
      const place = path.resolve('/folder', file);
      consistent(place.startsWith('/folder/'), () => `${JSON.stringify(file)} leads out of the folder`);
    }
    writeRunManifest(at('run'), found);
    const { recipe, checkpoints } = readRunManifest(at('run'))!;
    same({ recipe, checkpoints }, { recipe: found.recipe, checkpoints: found.checkpoints }, 'the manifest');
    return true;
  },
};

const bundle = smallBundle();
const BUNDLE = JSON.parse(JSON.stringify(bundle.manifest)) as { readonly [key: string]: Json };

/** A manifest of a bundle changed under a digest that is mostly right, with the kernels that it had. */
export const bundleManifest: Parser = {
  name: 'bundle',
  share: 6,
  make(random) {
    if (random.oneIn(4)) return documentInput([BUNDLE])(random);
    return bytesOf(textOfJson(mutateJson(BUNDLE, [BUNDLE], random), random));
  },
  async read(input) {
    const text = await sealed(textOf(input));
    const found = await readOr(['bundle'], () =>
      parseBundle(text, (file) => bundle.kernels.get(file), 'input'),
    );
    if (found === refused) return false;
    return (await readOr(['bundle'], () => graphOfBundle(found, 'input'))) !== refused;
  },
};

/** The same document with its digest put right, so that every other check has its turn. */
async function sealed(text: string): Promise<string> {
  try {
    const document = JSON.parse(text);
    if (typeof document !== 'object' || document === null) return text;
    return JSON.stringify({ ...document, sha256: await sha256(digestedText(document)) });
  } catch {
    return text;
  }
}

const LIMITS = { steps: 8, length: 4 };
const values = (value: number) => new Float32Array(4).fill(value);

/** A file of two chains under way, as it was written. */
function chainFile(at: (name: string) => string): Uint8Array {
  const states = [
    { seed: 0, state: { index: 3, x: values(1), kept: values(2), frames: [values(3)] } },
    { seed: 1, state: { index: -1, x: values(4), kept: null, frames: [] } },
  ];
  writeChains(at('chains.safetensors'), states, 'key');
  return new Uint8Array(readFileSync(at('chains.safetensors')));
}

/** Chains that were stopped: two numbers of changes of the file as it was written, and what the checksum thinks of them. */
export const chains: Parser = {
  name: 'chains',
  share: 8,
  // the file itself is made where it is read: an input is the seed of its changes
  make: (random) => Uint8Array.from({ length: 8 }, () => random.below(256)),
  async read(input, at) {
    const whole = chainFile(at);
    const index = new DataView(input.buffer, input.byteOffset).getUint32(0);
    const random = randomOf(index, 'chains', input[4]!);
    const changed = random.oneIn(10) ? whole : mutateBytes(whole, [whole], random);
    writeFileSync(at('chains.safetensors'), changed);
    const found = await readOr(['output'], () => readChains(at('chains.safetensors'), 'key', LIMITS));
    if (found === refused || found.size === 0) return false;
    consistent(found.size === 2, () => `${found.size} chains out of two`);
    consistent(found.get(0)?.x.join() === '1,1,1,1', 'another chain passes the checksum');
    return true;
  },
};
