// The corpus: files of the repository that inputs are made from. All are small, so that much of an input is changed.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { compileGraph } from '../../../compiler/compile.ts';
import { printExplicit, toExplicit } from '../../../compiler/graph/explicit.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { packageRoot, packageVersion } from '../../../engine/package.ts';
import type { Bundle } from '../../../runtime/bundle.ts';
import { SMALL_GRAPH } from '../../fixtures/small-graph.ts';
import type { Json } from './mutate-text.ts';

const root = packageRoot();

/** Texts of graphs: every family, the explicit form, every number of dimensions. */
export function graphTexts(): readonly string[] {
  const published = [
    'mnist',
    'mnist-sr',
    'cifar10',
    'adm64',
    'adm64-classifier',
    'ddpm-cifar10-32',
    'upsample256',
  ];
  const texts = published.map((name) => readFileSync(path.join(root, 'graphs', `${name}.json`), 'utf8'));
  const explicit = printExplicit(toExplicit(loadGraph(SMALL_GRAPH, 'small').graph));
  const line = { ...JSON.parse(SMALL_GRAPH), image_size: [16] };
  return [...texts, SMALL_GRAPH, explicit, JSON.stringify({ ...line, unet: { ...line.unet, dims: 1 } })];
}

/** The same graphs as modules. */
export function graphModules(): readonly string[] {
  const plain = graphTexts().map(
    (text) => `import { defineUNet } from 'unetc';\n\nexport default defineUNet(${text.trim()});\n`,
  );
  const computed = `import { defineUNet } from 'unetc';

const mult = [1, 2, 2];
const base = { in_channels: 1, dropout: 1 / 4, channel_mult: [...mult] };
const unet = { ...base, model_channels: 32 * mult[0], out_channels: -(-1), num_res_blocks: 1 };
export default defineUNet({
  version: 1, name: \`n\${mult[1]}\`, image_size: 2 ** 3, unet: { ...unet, attention_resolutions: [] },
});
`;
  return [...plain, computed];
}

/** A small graph compiled, with the explicit form in its manifest. */
export function smallBundle(): Bundle {
  return compileGraph(loadGraph(SMALL_GRAPH, 'small').graph, { version: packageVersion() }).bundle;
}

/** Files of torch.save and of NumPy's pickles. */
export function torchFiles(): readonly Uint8Array[] {
  const folder = path.join(root, 'test', 'fixtures', 'checkpoints');
  const names = readdirSync(folder).filter((name) => /\.(pt|pkl)$/.test(name) && name !== 'numpy-long.pt');
  return names.sort().map((name) => new Uint8Array(readFileSync(path.join(folder, name))));
}

/** Names and shapes of state dicts, as JSON. */
export function stateDicts(): readonly { readonly [key: string]: Json }[] {
  const cases = [
    'tiny-film',
    'tiny-1d',
    'tiny-superres',
    'tiny-conv-transpose',
    'adm/updown',
    'adm/classifier-spatial',
  ];
  return cases.map((name) => {
    return JSON.parse(readFileSync(path.join(root, 'test', 'golden', name, 'state-dict.json'), 'utf8'));
  });
}

/** What `unetc tune` measured, a few groups of it. */
export function tuningDocument(): { readonly [key: string]: Json } {
  const file = JSON.parse(readFileSync(path.join(root, 'graphs', 'tuning', 'software.json'), 'utf8'));
  return { ...file, groups: Object.fromEntries(Object.entries(file.groups).slice(0, 4)) } as {
    readonly [key: string]: Json;
  };
}
