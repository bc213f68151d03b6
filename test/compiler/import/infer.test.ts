// The graph that a checkpoint belongs to: every golden, every graph of ours, arbitrary graphs of both forms.

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphError } from '../../../compiler/diagnostics.ts';
import { entryChannels } from '../../../compiler/families/blocks.ts';
import { FAMILY_KEYS, familyOf } from '../../../compiler/families/index.ts';
import { toExplicit } from '../../../compiler/graph/explicit.ts';
import type { Block, Graph } from '../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { parameters } from '../../../compiler/graph/parameters.ts';
import { inferGraph } from '../../../compiler/import/infer.ts';
import { isUntold } from '../../../compiler/layers/fact.ts';
import type { Layer } from '../../../compiler/layers/index.ts';
import { layerFacts } from '../../../compiler/layers/queries.ts';
import { admGraphUpTo } from '../../arbitrary-adm-graph.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { unet2dGraphUpTo } from '../../arbitrary-unet-2d-graph.ts';
import { ALL_NAMES, CLASSIFIER_NAMES, familyOfCase, GOLDEN, goldenGraph } from '../../golden-cases.ts';

type Shapes = Map<string, readonly number[]>;

const tensorsOf = (graph: Graph): Shapes =>
  new Map(parameters(graph).map(({ name, shape }) => [name, shape]));

const GRAPHS = new URL('../../../graphs/', import.meta.url);
const FILES = readdirSync(GRAPHS).filter((name) => name.endsWith('.json') && name !== 'schema.json');

/** What shapes tell of a graph. */
function told(graph: Graph): object {
  const { time_embed, dims, out_channels, num_classes, pool } = graph;
  // models of diffusers say their norms, of which shapes tell no more than that they are there
  const said = graph.naming !== 'diffusers';
  const plain = (layer: Layer): object => {
    const untold = layerFacts(layer).flatMap(({ field, fact }) =>
      isUntold(fact) && (field !== 'norm' || !said) ? [field] : [],
    );
    const normed = layer.type === 'attention' && layer.norm !== null;
    return Object.fromEntries([
      ...Object.entries({ ...layer, normed }).filter(([key]) => !untold.includes(key)),
    ]);
  };
  const layers = (role: Block['role']) =>
    graph.blocks
      .filter((block) => block.role === role)
      .map((block) => block.layers.map(({ layer }) => plain(layer)));
  const images =
    entryChannels(graph) === out_channels && out_channels % 2 === 0
      ? entryChannels(graph)
      : { in_channels: graph.in_channels, superResolution: graph.super_resolution !== null };
  return {
    dims,
    images,
    out_channels,
    num_classes,
    pool: pool?.type,
    time_embed: said ? time_embed : { channels: time_embed.channels, hidden: time_embed.hidden },
    input: layers('input'),
    middle: layers('middle'),
    output: layers('output'),
  };
}

/** Free blocks can stand as those of guided-diffusion do that halve and double. */
const withoutResampling = (told: object): object =>
  JSON.parse(JSON.stringify(told, (key, value) => (key === 'resample' ? undefined : value)));

/** The graph that the printed spec says, loaded as any graph file is. */
const reload = (spec: object): Graph => loadGraph(JSON.stringify(spec), 'inferred').graph;

describe('inferGraph', () => {
  it.each([...ALL_NAMES, ...CLASSIFIER_NAMES])('gives back %s', (name) => {
    const text = readFileSync(new URL(`${name}/state-dict.json`, GOLDEN), 'utf8');
    const { spec, graph } = inferGraph(new Map(Object.entries(JSON.parse(text) as Record<string, number[]>)));
    const made = loadGraph(goldenGraph(name), name).graph;
    expect(told(graph)).toEqual(told(made));
    expect(reload(spec)).toEqual(graph);
    expect(spec).toHaveProperty(familyOfCase(name));
  });

  it.each(FILES)('gives back graphs/%s with what shapes do not tell', (file) => {
    const { graph } = loadGraph(readFileSync(new URL(file, GRAPHS), 'utf8'), file);
    const { spec, undetermined } = inferGraph(tensorsOf(graph));
    expect(reload(spec)).toEqual(graph);
    const family = FAMILY_KEYS.find((key) => key in spec)!;
    const heads = family === 'unet_2d' ? 'attention_head_dim' : 'num_heads';
    const { hint } = undetermined.find(({ key }) => key === `/${family}/${heads}`)!;
    expect(hint).toContain(`in ${graph.name},`);
  });

  it('knows the graphs in graphs/ as they are there', () => {
    const files = FILES.map((file) => JSON.parse(readFileSync(new URL(file, GRAPHS), 'utf8')));
    const known = FAMILY_KEYS.flatMap<{ readonly name: string }>((key) => familyOf(key).published).map(
      (graph) => ({
        $schema: './schema.json',
        version: 1,
        ...graph,
      }),
    );
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

  it('gives back arbitrary graphs of guided-diffusion', () => {
    fc.assert(
      fc.property(admGraphUpTo(16), (file) => {
        const made = loadGraph(JSON.stringify(file), 'made').graph;
        const { spec, graph, undetermined } = inferGraph(tensorsOf(made), { form: 'adm' });
        expect(told(graph)).toEqual(told(made));
        expect(reload(spec)).toEqual(graph);
        expect(spec).toHaveProperty('adm');
        const keys = undetermined.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        // without anything of its own it is a model of improved-diffusion, too
        const { resblock_updown, channel_mult } = file.adm as {
          resblock_updown: boolean;
          channel_mult: number[];
        };
        const own = (resblock_updown && channel_mult.length > 1) || channel_mult.some((m) => m % 1 !== 0);
        const likely = inferGraph(tensorsOf(made));
        if (own) expect(likely.spec).toEqual(spec);
        expect(told(likely.graph)).toEqual(told(made));
      }),
      { numRuns: 100 },
    );
  });

  it('gives back arbitrary graphs of diffusers', () => {
    fc.assert(
      fc.property(unet2dGraphUpTo(16), (file) => {
        const made = loadGraph(JSON.stringify(file), 'made').graph;
        const { spec, graph, undetermined } = inferGraph(tensorsOf(made));
        expect(told(graph)).toEqual(told(made));
        expect(reload(spec)).toEqual(graph);
        expect(spec).toHaveProperty('unet_2d');
        const keys = undetermined.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
      }),
      { numRuns: 100 },
    );
  });

  it('says of an ADM checkpoint what published models have where shapes do not tell', () => {
    const { graph } = loadGraph(goldenGraph('adm/updown'), 'updown');
    const { undetermined } = inferGraph(tensorsOf(graph));
    expect(undetermined.map(({ key, hint }) => `${key}: ${hint}`)).toEqual([
      '/image_size: height and width are best multiples of 2',
      '/adm/num_heads: a divisor of 64, and only where num_head_channels is -1; 4 in adm128 and adm-upsample256',
      '/adm/num_head_channels: a divisor of 64, or -1 for heads by number; 64 in every published model but adm128 and adm-upsample256, which have num_heads',
      '/adm/use_new_attention_order: as in training, or the output is garbage; false in every published model but that of 64x64 (adm64)',
      '/adm/num_heads_upsample: -1, as num_heads, in every published model',
      '/adm/dropout: no effect on sampling',
      '/diffusion: steps, noise_schedule, predict, learned or learned_range as variance, and rescale_timesteps as in training; published models have 4000 cosine or 1000 linear steps',
    ]);
  });

  it('reads blocks that halve and double also where no keywords make them', () => {
    const { graph } = loadGraph(goldenGraph('adm/updown'), 'updown');
    const spec = toExplicit(graph) as unknown as { blocks: { middle: { layers: object[] } } };
    spec.blocks.middle.layers.splice(1, 1);
    const made = reload(spec);
    const inferred = inferGraph(tensorsOf(made));
    expect(inferred.spec).toHaveProperty('blocks');
    expect(told(inferred.graph)).toEqual(told(made));
  });

  it('gives back arbitrary graphs of the explicit form', () => {
    fc.assert(
      fc.property(arbitraryExplicitGraph, (file) => {
        const made = loadGraph(JSON.stringify(file), 'made').graph;
        const { spec, graph } = inferGraph(tensorsOf(made));
        expect(withoutResampling(told(graph))).toEqual(withoutResampling(told(made)));
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

  it('names the projection of diffusers that is missing, and what its models can have beyond graphs', () => {
    const tensors = () => tensorsOf(loadGraph(goldenGraph('diffusers/ddpm'), 'ddpm').graph);
    for (const one of ['to_q', 'to_k', 'to_v', 'to_out.0']) {
      const without = tensors();
      without.delete(`mid_block.attentions.0.${one}.weight`);
      expect(fails(without)).toEqual([
        `error[G020] x.pt:/mid_block.attentions.0.${one}.weight: this tensor is missing; what is around it wants one of [64, 64]`,
      ]);
    }
    expect(fails(new Map([...tensors(), ['time_proj.weight', [32]]])).join()).toContain(
      'this is a UNet of diffusers, but its time embedding has weights: fourier or learned',
    );
    expect(fails(new Map([...tensors(), ['class_embedding.linear_1.weight', [128, 32]]])).join()).toContain(
      'it embeds labels as timesteps',
    );
  });

  it.each([
    ['model.enc.64x64_conv.weight', 'a network of EDM'],
    ['module.all_modules.3.weight', 'a network of score_sde'],
    ['model.downs.0.0.block1.proj.weight', 'denoising-diffusion-pytorch'],
    ['temb.dense.0.weight', 'the DDPM port to PyTorch'],
    ['inner_model.mapping.blocks.0.weight', 'k-diffusion'],
    ['first_stage_model.encoder.conv_in.weight', 'FILE#model.diffusion_model.'],
    ['encoder.down_blocks.0.resnets.0.conv1.weight', 'an autoencoder'],
    ['transformer.pos_embed.proj.weight', 'a diffusion transformer'],
    ['unet.lora_up.weight', 'a LoRA'],
    ['unets.0.init_conv.weight', 'imagen-pytorch'],
  ])('knows other projects by their names: %s', (name, what) => {
    const [message = ''] = fails(new Map([[name, [1]]]));
    expect(message).toContain(what);
    expect(message).toMatch(/^error\[G020\] x\.pt: this is .*; .{20}/);
  });

  it('tells of a level that is missing, and of shapes that no model has, as of tensors', () => {
    const whole = [...tensorsOf(loadGraph(goldenGraph('diffusers/plain'), 'plain').graph)];
    const gap = whole.map(
      ([name, shape]) => [name.replace('down_blocks.2.', 'down_blocks.7.'), shape] as const,
    );
    for (const [level, tensors] of [
      ['down_blocks.2', gap],
      ['up_blocks.1', whole.filter(([name]) => !name.startsWith('up_blocks.1.'))],
    ] as const) {
      expect(fails(new Map(tensors))).toEqual([
        `error[G020] x.pt: this is a UNet of diffusers, but ${level}.resnets is missing or no list of residual blocks: levels count from 0 without gaps, and each has some`,
      ]);
    }
    expect(fails(new Map([...whole, ['conv_in.weight', [32]]]))).toEqual([
      'error[G020] x.pt: the graph that these tensors tell is none, at /unet_2d/in_channels: found 0, expected an integer from 1 to 4096; tensors are missing, or have shapes that no model has',
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
    [
      'part of diffusers',
      ['down_blocks.0.resnets.0.conv1.weight', 'conv_in.weight'],
      'time_embedding.linear_1.weight, conv_out.weight are missing, which every UNet2DModel of diffusers has',
    ],
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
