// `unetc encode` and `unetc merge` from words to files, without a GPU.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import { readTensors } from '../../runtime/weights/safetensors.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
const words = (line: string): readonly string[] =>
  line.split(' ').map((word) => word.replace('@', `${at()}/`));

test('images become latents, which sample takes, and shards become one archive', async () => {
  fs.writeFileSync(at('g.json'), SMALL_GRAPH);
  const model = '@g.json --weights hash:1 --reference --quiet';
  for (const shard of ['0/2', '1/2']) {
    const made = await unetc(
      ...words(`sample ${model} --seeds 3,5 --steps 2 --out @images --shard ${shard}`),
    );
    expect(made).toMatchObject({ exit: 0 });
  }
  const merged = await unetcJson<{ samples: number; out: string }>(...words('merge @images --out @all.npz'));
  expect(merged).toMatchObject({ exit: 0, samples: 2, out: at('all.npz') });

  const encode = `encode ${model} --images @images --steps 3 --refine 1 -o @z.safetensors`;
  const encoded = await unetcJson<{ images: number; steps: number }>(...words(encode));
  const inputs = ['000003.png', '000005.png'].map((name) => at(`images/${name}`));
  expect(encoded).toMatchObject({ exit: 0, images: 2, steps: 3, inputs });
  const archived = await unetcJson<{ images: number }>(
    ...words(`encode ${model} --images @all.npz --steps 3 --refine 1 --output @npz.safetensors`),
  );
  expect(archived).toMatchObject({
    exit: 0,
    images: 2,
    inputs: [`${at('all.npz')}[0]`, `${at('all.npz')}[1]`],
  });
  expect(fs.readFileSync(at('npz.safetensors'))).toEqual(fs.readFileSync(at('z.safetensors')));
  const file = { kind: 'input', label: at('z.safetensors') } as const;
  const noise = readTensors(fs.readFileSync(file.label), file).get('noise');
  expect(noise?.shape).toEqual([2, 1, 8, 8]);
  const back = await unetc(
    ...words(`sample ${model} --noise @z.safetensors --sampler ddim --steps 3 --out @back`),
  );
  expect(back).toMatchObject({ exit: 0 });

  fs.rmSync(at('images/000005.png'));
  const missing = await unetcJson<{ missing: unknown; error: { kind: string } }>(...words('merge @images'));
  expect(missing).toMatchObject({
    exit: 1,
    error: { kind: 'check' },
    missing: [{ shard: '1/2', seeds: '5' }],
  });
});

test.each([
  ['encode @none.json --weights hash:1 --images @none.png -o @z', 5],
  ['encode @none.json --weights hash:1 --images @none.png -o @z --refine many', 2],
  ['encode @none.json --weights hash:1 --images @none.png -o @z --guidance 2', 2],
  ['merge @none', 2],
])('%s exits %i', async (line, exit) => {
  expect(await unetc(...words(line))).toMatchObject({ exit });
});
