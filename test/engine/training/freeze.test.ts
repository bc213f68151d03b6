// Runs in which parameters stay as they are: which those are, that nothing of them changes or is computed, and going on.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { parameters } from '../../../compiler/graph/parameters.ts';
import { train } from '../../../engine/api.ts';
import { frozenBy } from '../../../engine/compile/freeze.ts';
import { readTensors } from '../../../runtime/weights/safetensors.ts';
import { tinyGraph, writeTinyImages } from '../../fixtures/tiny-training.ts';
import { contents, temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const { graph } = loadGraph(tinyGraph(), 'tiny');
const names = parameters(graph).map(({ name }) => name);

describe('patterns', () => {
  test.each([
    ['a name', ['out.2.bias'], ['out.2.bias']],
    ['the beginning of names', ['out.2'], ['out.2.weight', 'out.2.bias']],
    [
      'not that of a part of a name',
      ['input_blocks.1'],
      names.filter((one) => one.startsWith('input_blocks.1.')),
    ],
    ['any text', ['*.emb_layers.*'], names.filter((one) => one.includes('.emb_layers.'))],
    ['a character', ['time_embed.?.bias'], ['time_embed.0.bias', 'time_embed.2.bias']],
    [
      'several, in checkpoint order',
      ['out.2.bias', 'time_embed.0.weight'],
      ['time_embed.0.weight', 'out.2.bias'],
    ],
  ])('%s', (_, patterns, expected) => {
    expect(expected.length).toBeGreaterThan(0);
    expect(frozenBy(patterns, graph)).toEqual(expected);
  });

  test('one that matches nothing is refused with what was meant, as is one that matches all', () => {
    expect(() => frozenBy(['time_embd'], graph)).toThrow(
      /'time_embd' matches no parameter of tiny; did you mean time_embed\? names begin with time_embed, input_blocks, /,
    );
    expect(() => frozenBy(['out.2', '*'], graph)).toThrow('matches all');
  });
});

describe('a run', () => {
  beforeEach(() => writeTinyImages(at('d.safetensors'), 7));
  const settings = {
    batch: 2,
    lr: 0.05,
    weight_decay: 0.1,
    ema_rate: 0.5,
    save_interval: 2,
    reference: true,
  };
  const run = async (output: string, more: Partial<Parameters<typeof train>[1]>) => {
    const given = { ...settings, data: at('d.safetensors'), output: at(output), ...more };
    for await (const _ of train(tinyGraph(), given));
    return contents(at(output));
  };
  const tensorsOf = (file: string) =>
    readTensors(fs.readFileSync(at(file)), { kind: 'weights', label: file });

  test('changes nothing of what is frozen, has no moments of it, and holds it in every checkpoint', async () => {
    const freeze = ['time_embed', 'input_blocks.0'];
    const frozen = new Set(frozenBy(freeze, graph));
    await run('begin', { steps: 1 });
    const weights = at('begin/model000001.safetensors');
    await run('frozen', { steps: 2, weights, freeze });
    const [before, after, average] = [
      tensorsOf('begin/model000001.safetensors'),
      tensorsOf('frozen/model000002.safetensors'),
      tensorsOf('frozen/ema_0.5_000002.safetensors'),
    ];
    expect([...after.keys()].sort()).toEqual([...names].sort());
    const same = names.filter((name) => `${after.get(name)!.data}` === `${before.get(name)!.data}`);
    expect(same.filter((name) => !frozen.has(name))).toEqual([]);
    expect(same.length).toBe(frozen.size);
    for (const name of frozen) expect(average.get(name), name).toEqual(before.get(name));
    const moments = [...tensorsOf('frozen/opt000002.safetensors').keys()];
    expect(moments.filter((name) => frozen.has(name.replace(/^exp_avg(_sq)?\./, '')))).toEqual([]);
    expect(moments.length).toBe(2 * (names.length - frozen.size));
  });

  test('goes on to the same bytes, and not with other ones frozen', async () => {
    const freeze = 'out';
    const whole = await run('whole', { steps: 4, freeze });
    await run('run', { steps: 2, freeze });
    await expect(run('run', { steps: 4 })).rejects.toThrow('freeze: there out, here none');
    expect(await run('run', { steps: 4, freeze })).toEqual(whole);
    const beside = { weights: at('run/model000004.safetensors'), optimizer: at('run/opt000004.safetensors') };
    await expect(run('other', { steps: 6, ...beside })).rejects.toThrow(
      'the file is of another model, or of a run in which that parameter was frozen',
    );
    await run('other', { steps: 6, freeze: ['out', 'time_embed'], ...beside });
  });
});

test('no gradient of what is frozen is computed, nor what it alone would need', () => {
  const training = { averages: 1, accumulates: false };
  const all = compileGraph(graph, { batch: 2, training });
  const frozen = names.filter((name) => !name.startsWith('out.'));
  const head = compileGraph(graph, { batch: 2, training: { ...training, frozen } });
  const backward = ({ bundle }: typeof head) =>
    bundle.manifest.dispatches.filter(({ path }) => path.endsWith('.gradient')).map(({ path }) => path);
  expect(backward(all).some((path) => path.startsWith('input_blocks'))).toBe(true);
  expect(backward(head).filter((path) => !/^(out|loss)/.test(path))).toEqual([]);
  const { passes, state } = head.bundle.manifest;
  expect(passes.map(({ name }) => name)).toEqual(['step', 'pack', 'pack_frozen']);
  expect(state.filter(({ name }) => /^(exp_avg|ema|grad)/.test(name) && !name.includes('.out.'))).toEqual([]);
});
