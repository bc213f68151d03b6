// How a bundle of a step of training was compiled, told from its manifest: also of a model whose loss does not depend on all of
// its parameters, of which the bundle keeps fewer than the checkpoint has.

import { expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { compareBundle } from '../../../engine/compile/compare-bundle.ts';
import { trainingOf } from '../../../engine/compile/model-settings.ts';
import { packageVersion } from '../../../engine/package.ts';

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
  for (const accumulates of [true, false]) {
    const training = { averages, accumulates };
    const { bundle } = compileGraph(graph, { training, version: packageVersion() });
    const kept = bundle.manifest.state.filter(({ name }) => name.startsWith('parameters.'));
    expect(kept.length).toBeLessThan(bundle.manifest.parameters.length);
    expect(trainingOf(bundle.manifest)).toEqual(training);
    expect(compareBundle(bundle, graph, 'b')).toBe(true);
  }
});
