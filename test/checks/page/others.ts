// What a page draws beside digits: a picture that is enlarged, and pictures that a classifier guides, held against Node's.

import fs from 'node:fs';
import path from 'node:path';
import { encodePng } from '../../../runtime/image/encode-png.ts';
import { samplerOf } from '../../../runtime/sampler/samplers/index.ts';
import { linkOf } from '../../../web/link.ts';
import { GUIDED_CASES } from '../../guided-cases.ts';

/** A page, and the same pictures by `unetc sample`. */
export interface OtherModel {
  readonly what: string;
  /** The words of `unetc web`. */
  readonly web: readonly string[];
  /** Those of `unetc sample`. */
  readonly sample: readonly string[];
  /** The link of the pictures, without its `#`. */
  readonly link: string;
}

/** Both, with the files that they need in a folder. */
export async function otherModels(folder: string): Promise<readonly OtherModel[]> {
  return [await enlarged(folder), guided(folder)];
}

const DRAWN = { seeds: [3], labels: [7], sampler: samplerOf('ddim', { eta: 0 }), steps: 'ddim2' };
const SAMPLING = ['--seeds', '3', '--steps', 'ddim2'];

async function enlarged(folder: string): Promise<OtherModel> {
  const model = ['graphs/mnist-sr.json', '--weights', 'graphs/mnist-sr.safetensors'];
  const { super_resolution } = JSON.parse(fs.readFileSync('graphs/mnist-sr.json', 'utf8'));
  const side: number = super_resolution.low_res_size;
  const picture = Uint8Array.from({ length: side * side }, (_, i) => (i * 37) % 256);
  const file = path.join(folder, 'small.png');
  fs.writeFileSync(file, await encodePng({ width: side, height: side, channels: 1, data: picture }));
  const job = { ...DRAWN, guidance: null, classifier_scale: null, low_res: picture };
  return {
    ...{ what: 'a digit that is enlarged', web: model, link: linkOf(job, 'any') },
    sample: [...model, ...SAMPLING, '--class', '7', '--low-res', file],
  };
}

function guided(folder: string): OtherModel {
  const [{ model, classifier }] = GUIDED_CASES as readonly [(typeof GUIDED_CASES)[number]];
  const written = Object.entries({ model, classifier }).map(([name, { text, seed }]) => {
    const file = path.join(folder, `${name}.json`);
    fs.writeFileSync(file, text);
    return [file, `hash:${seed}`] as const;
  });
  const [[graph, weights], [guide, guideWeights]] = written as [(typeof written)[0], (typeof written)[0]];
  const words = [graph, '--weights', weights, '--classifier', guide, '--classifier-weights', guideWeights];
  const job = { ...DRAWN, labels: [1], guidance: null, classifier_scale: 2, low_res: null };
  return {
    ...{ what: 'a picture that is guided', web: words, link: linkOf(job, 'any') },
    sample: [...words, ...SAMPLING, '--class', '1', '--classifier-scale', '2'],
  };
}
