// Weights to begin with: their moments, which of them are zero, and that they are the same everywhere.

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { initialWeights } from '../../../engine/training/init.ts';
import { goldenGraph } from '../../golden-cases.ts';

const graphOf = (name: string) => loadGraph(goldenGraph(name), name).graph;

/** Mean, deviation and largest magnitude. */
function moments(data: Float32Array) {
  const mean = data.reduce((sum, v) => sum + v, 0) / data.length;
  const variance = data.reduce((sum, v) => sum + (v - mean) ** 2, 0) / data.length;
  return {
    mean,
    deviation: Math.sqrt(variance),
    largest: data.reduce((a, v) => Math.max(a, Math.abs(v)), 0),
  };
}

describe('a class-conditional model of improved-diffusion', () => {
  const weights = initialWeights(graphOf('tiny-additive-class'), 3);
  const of = (name: string) => weights.get(name)!;

  test('convolutions and linear layers are uniform within 1 / sqrt(fan_in), biases too', () => {
    for (const name of ['input_blocks.1.0.in_layers.2', 'time_embed.0']) {
      const { shape, data } = of(`${name}.weight`);
      const bound = 1 / Math.sqrt(data.length / shape[0]!);
      for (const values of [data, of(`${name}.bias`).data]) {
        const { mean, deviation, largest } = moments(values);
        const spread = bound / Math.sqrt(3 * values.length);
        expect(Math.abs(mean)).toBeLessThan(5 * spread);
        expect(Math.abs(deviation / (bound / Math.sqrt(3)) - 1)).toBeLessThan(3 / Math.sqrt(values.length));
        expect(largest).toBeLessThanOrEqual(Math.fround(bound));
      }
    }
  });

  test('embeddings are standard normal, norms 1 and 0', () => {
    const { data } = of('label_emb.weight');
    const { mean, deviation, largest } = moments(data);
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(data.length));
    expect(Math.abs(deviation - 1)).toBeLessThan(4 / Math.sqrt(data.length));
    expect(largest).toBeGreaterThan(2.5);
    expect(moments(of('out.0.weight').data)).toEqual({ mean: 1, deviation: 0, largest: 1 });
    expect(moments(of('out.0.bias').data).largest).toBe(0);
  });

  test('zero is what the original sets to zero, and nothing else but the biases of norms', () => {
    const zero = [...weights].filter(([, { data }]) => data.every((v) => v === 0)).map(([name]) => name);
    const zeroed = /(out_layers\.3|proj_out|^out\.2)\.(weight|bias)$/;
    const norms = /(in_layers\.0|out_layers\.0|\.norm|^out\.0)\.bias$/;
    expect(zero.filter((name) => !zeroed.test(name) && !norms.test(name))).toEqual([]);
    expect([...weights.keys()].filter((name) => zeroed.test(name) && !zero.includes(name))).toEqual([]);
    expect(zero).toContain('out.2.weight');
  });

  test('parameters and seeds have numbers of their own, the same at every draw', () => {
    const heads = [...weights.values()].filter(({ data }) => data.some((v) => v !== 0 && v !== 1));
    expect(new Set(heads.map(({ data, shape }) => data[0]! * Math.sqrt(data.length / shape[0]!))).size).toBe(
      heads.length,
    );
    const again = initialWeights(graphOf('tiny-additive-class'), 3);
    expect(digest(again)).toBe(digest(weights));
    expect(digest(initialWeights(graphOf('tiny-additive-class'), 4))).not.toBe(digest(weights));
  });
});

test('the adaptive pool of a classifier ends in zeros, the positions of an attention pool do not', () => {
  const adaptive = initialWeights(graphOf('adm/classifier-adaptive'), 0);
  const last = [...adaptive.keys()].filter((name) => name.startsWith('out.')).at(-2)!;
  expect(moments(adaptive.get(last)!.data).largest).toBe(0);
  const attention = initialWeights(graphOf('adm/classifier-attention'), 0);
  const [, { shape, data }] = [...attention].find(([name]) => name.endsWith('positional_embedding'))!;
  const expected = 1 / Math.sqrt(shape[0]!);
  expect(Math.abs(moments(data).deviation / expected - 1)).toBeLessThan(5 / Math.sqrt(data.length));
});

test('refuses a seed that is none', () => {
  expect(() => initialWeights(graphOf('tiny-1d'), -1)).toThrow('found -1, expected a whole number from 0');
});

function digest(weights: ReadonlyMap<string, { readonly data: Float32Array }>): string {
  const hash = createHash('sha256');
  for (const { data } of weights.values()) hash.update(new Uint8Array(data.buffer));
  return hash.digest('hex');
}
