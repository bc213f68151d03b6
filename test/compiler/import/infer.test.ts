// The graph that a checkpoint belongs to: every golden, every graph of ours, arbitrary graphs of both forms.

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphError } from '../../../compiler/diagnostics.ts';
import { entryChannels } from '../../../compiler/families/blocks.ts';
import { KNOWN_GRAPHS } from '../../../compiler/families/improved-diffusion/published.ts';
import { toExplicit } from '../../../compiler/graph/explicit.ts';
import type { Graph } from '../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { parameters } from '../../../compiler/graph/parameters.ts';
import { inferGraph } from '../../../compiler/import/infer.ts';
import type { Layer } from '../../../compiler/layers/index.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { GOLDEN, GOLDEN_NAMES, goldenGraph } from '../../golden-cases.ts';

type Shapes = Map<string, readonly number[]>;

const tensorsOf = (graph: Graph): Shapes =>
  new Map(parameters(graph).map(({ name, shape }) => [name, shape]));

const GRAPHS = new URL('../../../graphs/', import.meta.url);
const FILES = readdirSync(GRAPHS).filter((name) => name.endsWith('.json') && name !== 'schema.json');

/** What shapes tell of a graph. */
function told(graph: Graph): object {
  const { blocks, time_embed, dims, out_channels, num_classes } = toExplicit(graph);
  const plain = (layer: Layer): Layer => {
    if (layer.type === 'attention') return { ...layer, heads: 1 };
    return layer.type === 'res_block' ? { ...layer, dropout: 0 } : layer;
  };
  const layers = ({ layers }: { readonly layers: readonly object[] }) => (layers as Layer[]).map(plain);
  const images =
    entryChannels(graph) === out_channels && out_channels % 2 === 0
      ? entryChannels(graph)
      : { in_channels: graph.in_channels, superResolution: graph.super_resolution !== null };
  return {
    dims,
    images,
    out_channels,
    num_classes,
    time_embed,
    input: blocks.input.map(layers),
    middle: layers(blocks.middle),
    output: blocks.output.map(layers),
  };
}

/** The graph that the printed spec says, loaded as any graph file is. */
const reload = (spec: object): Graph => loadGraph(JSON.stringify(spec), 'inferred').graph;

describe('inferGraph', () => {
  it.each(GOLDEN_NAMES)('gives back %s', (name) => {
    const text = readFileSync(new URL(`${name}/state-dict.json`, GOLDEN), 'utf8');
    const { spec, graph } = inferGraph(new Map(Object.entries(JSON.parse(text) as Record<string, number[]>)));
    const made = loadGraph(goldenGraph(name), name).graph;
    expect(told(graph)).toEqual(told(made));
    expect(reload(spec)).toEqual(graph);
    expect(spec).toHaveProperty('unet');
  });

  it.each(FILES)('gives back graphs/%s with what shapes do not tell', (file) => {
    const { graph } = loadGraph(readFileSync(new URL(file, GRAPHS), 'utf8'), file);
    const { spec, undetermined } = inferGraph(tensorsOf(graph));
    expect(reload(spec)).toEqual(graph);
    expect(undetermined.find(({ key }) => key === '/unet/num_heads')!.hint).toContain(`in ${graph.name},`);
  });

  it('knows the graphs in graphs/ as they are there', () => {
    const files = FILES.map((file) => JSON.parse(readFileSync(new URL(file, GRAPHS), 'utf8')));
    const known = KNOWN_GRAPHS.map((graph) => ({ $schema: './schema.json', version: 1, ...graph }));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(known.toSorted(byName)).toEqual(files.toSorted(byName));
  });

  it('gives back arbitrary graphs of the compact form', () => {
    fc.assert(
      fc.property(arbitraryCompactGraph, (file) => {
        const made = loadGraph(JSON.stringify(file), 'made').graph;
        const { spec, graph, undetermined } = inferGraph(tensorsOf(made));
        expect(told(graph)).toEqual(told(made));
        expect(reload(spec)).toEqual(graph);
        expect(spec).toHaveProperty('unet');
        const keys = undetermined.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
      }),
      { numRuns: 100 },
    );
  });

  it('gives back arbitrary graphs of the explicit form', () => {
    fc.assert(
      fc.property(arbitraryExplicitGraph, (file) => {
        const made = loadGraph(JSON.stringify(file), 'made').graph;
        const { spec, graph } = inferGraph(tensorsOf(made));
        expect(told(graph)).toEqual(told(made));
        expect(reload(spec)).toEqual(graph);
      }),
      { numRuns: 100 },
    );
  });

  it('takes off a prefix that all names share', () => {
    const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');
    const wrapped: Shapes = new Map([...tensorsOf(graph)].map(([name, shape]) => [`module.${name}`, shape]));
    expect(inferGraph(wrapped)).toMatchObject({ prefix: 'module.', spec: { unet: { model_channels: 32 } } });
  });

  it('says that a model that takes an even number of channels could do super-resolution, or not', () => {
    const keys = (entry: number, out: number) => {
      const unet = { in_channels: entry, model_channels: 32, out_channels: out, num_res_blocks: 1 };
      const file = {
        version: 1,
        image_size: 8,
        unet: { ...unet, attention_resolutions: [], channel_mult: [1] },
      };
      const { spec, undetermined } = inferGraph(tensorsOf(reload(file)));
      const { in_channels } = spec.unet as { in_channels: number };
      return [
        in_channels,
        'super_resolution' in spec,
        undetermined.some(({ key }) => key === '/unet/in_channels'),
      ];
    };
    expect(keys(6, 6)).toEqual([3, true, true]);
    expect(keys(6, 3)).toEqual([3, true, true]);
    expect(keys(4, 4)).toEqual([4, false, true]);
    expect(keys(4, 8)).toEqual([4, false, true]);
    expect(keys(3, 3)).toEqual([3, false, false]);
  });
});

describe('inferGraph on checkpoints of no graph', () => {
  const film = (): Shapes => tensorsOf(loadGraph(goldenGraph('tiny-film'), 'tiny-film').graph);
  const fails = (tensors: Shapes): readonly string[] => {
    try {
      inferGraph(tensors, { file: 'x.pt' });
    } catch (error) {
      expect(error).toBeInstanceOf(GraphError);
      return (error as GraphError).message.split('\n');
    }
    throw new Error('it was taken');
  };

  it('names the tensor that is missing', () => {
    const tensors = film();
    tensors.delete('middle_block.1.proj_out.bias');
    expect(fails(tensors)).toEqual([
      'error[G020] x.pt:/middle_block.1.proj_out.bias: this tensor is missing; what is around it wants one of [64]',
    ]);
  });

  it('names the tensor that is too much, and the one of another shape', () => {
    const tensors = film();
    tensors.set('input_blocks.1.0.gate.weight', [32]);
    tensors.set('out.2.bias', [7]);
    expect(fails(tensors)).toEqual([
      'error[G020] x.pt:/out.2.bias: found [7] where what is around it wants [6]',
      'error[G020] x.pt:/input_blocks.1.0.gate.weight: no layer of a model with the other tensors has this one of [32]',
    ]);
  });

  it('says that a prefix is not shared', () => {
    const tensors: Shapes = new Map([...film()].map(([name, shape]) => [`denoise_fn.${name}`, shape]));
    tensors.set('betas', [1000]);
    expect(fails(tensors)).toEqual([
      'error[G020] x.pt: the names of a model begin with "denoise_fn." here, but others do not, such as "betas"; save ' +
        "the model's tensors alone",
    ]);
  });

  it.each([
    ['nothing', [], 'time_embed.0.weight, input_blocks.0.0.weight, out.2.weight are missing'],
    ['diffusers', ['down_blocks.0.resnets.0.conv1.weight'], 'this is a UNet of diffusers'],
    ['Stable Diffusion', ['input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight'], 'cross-attention'],
  ])('says of %s what it is', (_, names, message) => {
    expect(fails(new Map(names.map((name) => [name, [1]]))).join()).toContain(message);
  });

  it('throws nothing but GraphError, whatever the names and shapes are', () => {
    const names = [...film().keys(), 'input_blocks.4000.0.weight', 'output_blocks.2047.63.conv.weight', 'x'];
    const edit = fc.tuple(fc.constantFrom(...names), fc.option(fc.array(fc.nat(70), { maxLength: 6 })));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const tensors = film();
        for (const [name, shape] of edits) {
          if (shape === null) tensors.delete(name);
          else tensors.set(name, shape);
        }
        try {
          const { graph } = inferGraph(tensors);
          expect(new Map(tensorsOf(graph))).toEqual(tensors);
        } catch (error) {
          expect(error).toBeInstanceOf(GraphError);
        }
      }),
      { numRuns: 100 },
    );
  });
});
