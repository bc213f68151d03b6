// Weights of diffusers as people have them: folders of save_pretrained from the newest to the oldest, run from import on.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { type Parameter, parameters } from '../../../compiler/graph/parameters.ts';
import { importDiffusers, load } from '../../../engine/api.ts';
import type { DenoiserInputs } from '../../../runtime/sampler/denoiser.ts';
import { hashTensor } from '../../../runtime/weights/hash.ts';
import { nameToday, tensorToday } from '../../../runtime/weights/old-names.ts';
import { writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { goldenForward } from '../../fixtures/golden-forward.ts';
import { dict, tensor, torchArchive } from '../../fixtures/torch-archive.ts';
import { goldenCase, goldenGraph } from '../../golden-cases.ts';
import { relativeError } from '../../on-device.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc } from '../../unetc.ts';

const NAME = 'diffusers/ddpm';
const { seed } = goldenCase(NAME).weights;
const PARAMETERS = parameters(loadGraph(goldenGraph(NAME), NAME).graph);
const at = temporaryFolder();

/** A tensor of the checkpoint: what it is called there, and the parameter whose values it has. */
interface Stored {
  readonly name: string;
  readonly shape: readonly number[];
  readonly of: Parameter;
}

const today: readonly Stored[] = PARAMETERS.map((of) => ({ ...of, of }));

const OLD = { to_q: 'query', to_k: 'key', to_v: 'value', 'to_out.0': 'proj_attn' } as const;

/** As older versions wrote it; `pointwise` as the convolutions that the oldest had. */
function old(pointwise: boolean): readonly Stored[] {
  return today.map(({ name, shape, of }) => {
    const found = Object.entries(OLD).find(([projection]) => name.includes(`.${projection}.`));
    if (!found) return { name, shape, of };
    const kernel = pointwise && shape.length === 2 ? [1, 1] : [];
    return { name: name.replace(`.${found[0]}.`, `.${found[1]}.`), shape: [...shape, ...kernel], of };
  });
}

const valuesOf = ({ of }: Stored) => hashTensor(of.name, of.shape, seed);

const safetensors = (stored: readonly Stored[]) =>
  writeTensors(new Map(stored.map((one) => [one.name, { shape: one.shape, data: valuesOf(one) }])));

function pickled(stored: readonly Stored[]): Uint8Array {
  const storages: Record<string, Uint8Array> = {};
  const entries = stored.map((one, i) => {
    const { name, shape } = one;
    storages[`${i}`] = new Uint8Array(valuesOf(one).buffer);
    const stride = shape.map((_, axis) => shape.slice(axis + 1).reduce((n, size) => n * size, 1));
    const count = shape.reduce((n, size) => n * size, 1);
    return [name, tensor({ key: `${i}`, count, shape, stride })] as const;
  });
  return torchArchive(dict(Object.fromEntries(entries)), storages);
}

/** An index beside two shards. */
function sharded(stored: readonly Stored[]): Readonly<Record<string, Uint8Array>> {
  const file = (i: number) => `diffusion_pytorch_model-0000${(i % 2) + 1}-of-00002.safetensors`;
  const weight_map = Object.fromEntries(stored.map(({ name }, i) => [name, file(i)]));
  return {
    'diffusion_pytorch_model.safetensors.index.json': new TextEncoder().encode(
      JSON.stringify({ metadata: {}, weight_map }),
    ),
    [file(0)]: safetensors(stored.filter((_, i) => i % 2 === 0)),
    [file(1)]: safetensors(stored.filter((_, i) => i % 2 === 1)),
  };
}

const FOLDERS: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {
  safetensors: { 'diffusion_pytorch_model.safetensors': safetensors(today) },
  'bin with old names': { 'diffusion_pytorch_model.bin': pickled(old(false)) },
  'safetensors with old names as convolutions': {
    'diffusion_pytorch_model.safetensors': safetensors(old(true)),
  },
  'shards with old names': sharded(old(false)),
};

describe.each(Object.entries(FOLDERS))('%s', (name, files) => {
  const folder = () => {
    const made = at(name);
    mkdirSync(made, { recursive: true });
    writeFileSync(path.join(made, 'config.json'), JSON.stringify(goldenCase(NAME).kwargs));
    for (const [file, bytes] of Object.entries(files)) writeFileSync(path.join(made, file), bytes);
    return made;
  };

  test('gives what diffusers gave, from the import of its folder on', { timeout: 60_000 }, async () => {
    const { graph, weights } = importDiffusers(folder());
    const model = await load(graph, { weights: weights!, reference: true, batch: 2 });
    const { given, expected } = goldenForward(NAME);
    const { output } = await model.run(given as unknown as DenoiserInputs);
    await model.close();
    expect(relativeError(output!.data, expected.get('output')!.data)).toBeLessThan(2e-6);
    const note = 'read 32 tensors by the names that diffusers gives them today (query is to_q)';
    expect(model.notes.some((one) => one.endsWith(note))).toBe(name.includes('old names'));
  });

  test('fits its graph, and is inferred', async () => {
    const made = folder();
    const { weights } = importDiffusers(made);
    writeFileSync(at('graph.json'), JSON.stringify(importDiffusers(made).graph));
    const checked = await unetc('check', at('graph.json'), weights!);
    expect([checked.exit, checked.stdout]).toEqual([0, expect.stringContaining(': fits ')]);
    const { exit, stdout, stderr } = await unetc('infer', weights!);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('unet_2d.block_out_channels', [32, 64]);
    expect(stderr).toContain('/unet_2d/downsample_padding: 0 in published DDPM models of google');
  });
});

describe('names of today', () => {
  test.each([
    ['mid_block.attentions.0.query.weight', 'mid_block.attentions.0.to_q.weight'],
    ['unet.up_blocks.1.attentions.2.proj_attn.bias', 'unet.up_blocks.1.attentions.2.to_out.0.bias'],
    ['down_blocks.0.resnets.0.conv1.weight', 'down_blocks.0.resnets.0.conv1.weight'],
    ['key.weight', 'key.weight'],
    ['encoder.attn.query.weight', 'encoder.attn.query.weight'],
  ])('%s is %s', (name, expected) => {
    expect(nameToday(name)).toBe(expected);
  });

  test('only projections lose the kernel of one position', () => {
    const shape = [8, 8, 1, 1];
    expect(tensorToday({ name: 'mid_block.attentions.0.value.weight', shape }).shape).toEqual([8, 8]);
    expect(tensorToday({ name: 'down_blocks.0.resnets.0.conv_shortcut.weight', shape }).shape).toEqual(shape);
  });
});
