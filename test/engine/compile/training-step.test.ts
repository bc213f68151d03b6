// How a bundle of a step of training was compiled, told from its manifest: also of a model whose loss does not depend on all of
// its parameters, of which the bundle keeps fewer than the checkpoint has.

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { compile, stats, UsageError } from '../../../engine/api.ts';
import { compareBundle } from '../../../engine/compile/compare-bundle.ts';
import { frozenBy } from '../../../engine/compile/freeze.ts';
import { checkBundleFits, trainingOf } from '../../../engine/compile/model-settings.ts';
import { packageVersion } from '../../../engine/package.ts';
import { tinyGraph } from '../../fixtures/tiny-training.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc } from '../../unetc.ts';

const conv = { type: 'conv', in_channels: 32, out_channels: 32, kernel: 3 };

/** No layer takes the time embedding. */
const { graph } = loadGraph(
  JSON.stringify({
    version: 1,
    name: 'timeless',
    dims: 2,
    image_size: [8, 8],
    in_channels: 4,
    out_channels: 4,
    time_embed: { channels: 8, hidden: 16 },
    blocks: {
      input: [{ layers: [{ ...conv, in_channels: 4 }] }],
      middle: { layers: [conv] },
      output: [{ layers: [{ ...conv, in_channels: 64 }] }],
    },
  }),
  'timeless',
);

test.each([0, 1, 3])('%i moving averages', (averages) => {
  const choices = [
    { accumulates: true, waits: true },
    { accumulates: false, waits: true },
    { accumulates: false, waits: false },
  ];
  for (const choice of choices) {
    const training = { averages, ...choice };
    const { bundle } = compileGraph(graph, { training, version: packageVersion() });
    const kept = bundle.manifest.state.filter(({ name }) => name.startsWith('parameters.'));
    expect(kept.length).toBeLessThan(bundle.manifest.parameters.length);
    expect(trainingOf(bundle.manifest)).toEqual(training);
    expect(compareBundle(bundle, graph, 'b')).toBe(true);
  }
});

describe('what is frozen', () => {
  const folder = temporaryFolder();
  const graphFile = () => {
    writeFileSync(folder('g.json'), tinyGraph());
    return folder('g.json');
  };
  const freeze = ['time_embed', '*.emb_layers.*'];

  test('is compiled as a run compiles it, on the command line and in the Node API', async () => {
    const file = graphFile();
    const { stderr, exit } = await unetc(
      ...['compile', file, '-o', folder('b'), '--batch', '2', '--train', '--averages', '2'],
      ...['--freeze', freeze.join(','), '--accumulate'],
    );
    expect(exit, stderr).toBe(0);
    const settings = { batch: 2, train: true, averages: 2, accumulate: true, freeze };
    const { manifest, kernels } = compile(tinyGraph(), settings);
    expect(JSON.parse(readFileSync(folder('b', 'manifest.json'), 'utf8'))).toEqual(manifest);
    const { graph } = loadGraph(tinyGraph(), 'tiny');
    const frozen = frozenBy(freeze, graph);
    expect(trainingOf(manifest)).toEqual({ averages: 2, accumulates: true, waits: true, frozen });
    expect(manifest.state.filter(({ name }) => name.startsWith('exp_avg.time_embed'))).toEqual([]);
    expect(compareBundle({ manifest, kernels }, graph, 'b')).toBe(true);
  });

  test('takes less, as stats says', async () => {
    const all = (await stats(tinyGraph(), { train: true })).training!;
    const head = (await stats(tinyGraph(), { train: true, freeze: ['input_blocks', 'middle_block'] }))
      .training!;
    expect(head.state_bytes).toBeLessThan(all.state_bytes);
    expect(head.flops).toBeLessThan(all.flops);
  });

  test('is refused where it matches nothing, without a step, and of a bundle', async () => {
    const file = graphFile();
    const said = async (...words: readonly string[]) => {
      const { exit, stderr } = await unetc(...words);
      return [exit, stderr] as const;
    };
    expect(await said('stats', file, '--train', '--freeze', 'time_embd')).toEqual([
      2,
      expect.stringContaining("--freeze: 'time_embd' matches no parameter of tiny; did you mean time_embed?"),
    ]);
    expect(await said('compile', file, '--emit', 'ops', '--freeze', 'out')).toEqual([
      2,
      expect.stringContaining('--freeze: it is of a step of training; give --train, too'),
    ]);
    expect(() => compile(tinyGraph(), { train: true, freeze: [1] as never })).toThrow(UsageError);
    const { manifest } = compile(tinyGraph(), { train: true });
    const settings = { trainingStep: { averages: 1, accumulates: false, freeze: ['out'] } };
    expect(() => checkBundleFits(manifest, 'b', settings)).toThrow(
      'what a bundle has frozen is compiled into it',
    );
  });
});
