// Every layer type under two namings: that of improved-diffusion, and a made-up one. Lowering declares exactly the
// parameters that the layer lists, and no name depends on anything but the naming.

import { describe, expect, test } from 'vitest';
import { blockPath } from '../../../compiler/families/blocks.ts';
import { type Naming, readLayer } from '../../../compiler/families/naming.ts';
import { namingOf } from '../../../compiler/families/namings.ts';
import { type Fact, isUntold } from '../../../compiler/layers/fact.ts';
import {
  LAYERS,
  type Layer,
  type LayerOf,
  type LayerType,
  layerDef,
  type WrittenLayer,
} from '../../../compiler/layers/index.ts';
import { parameterName } from '../../../compiler/layers/naming.ts';
import {
  layerFacts,
  layerInChannels,
  newLayer,
  printLayer,
  writtenLayer,
} from '../../../compiler/layers/queries.ts';
import { createScope } from '../../../compiler/layers/scope.ts';
import { createOpGraphBuilder } from '../../../compiler/opgraph/build.ts';
import { PRECISIONS } from '../../../compiler/precision.ts';

const norm = { groups: 16, eps: 1e-6 };
const res = { type: 'res_block', in_channels: 32, out_channels: 64, dropout: 0.1, norm } as const;

/** One of every type, or more where options change the parameters. */
const WRITTEN: readonly WrittenLayer[] = [
  { type: 'conv', in_channels: 3, out_channels: 32, kernel: 1 },
  { ...res, conditioning: 'film', skip: 'conv1x1' },
  { ...res, conditioning: 'additive', skip: 'conv3x3' },
  { ...res, out_channels: 32, conditioning: 'additive', skip: 'identity' },
  { ...res, out_channels: 32, conditioning: 'film', skip: 'identity', resample: 'down' },
  { ...res, conditioning: 'film', skip: 'conv1x1', resample: 'up' },
  { ...res, activation: 'mish', divisor: 1.5 },
  { type: 'attention', channels: 32, heads: 4, norm, order: 'qkv_first' },
  { type: 'attention', channels: 32, heads: 4, norm, order: 'qkv_first', projections: 'separate' },
  { type: 'attention', channels: 32, norm: null, order: 'qkv_first', projections: 'separate', divisor: 2 },
  { type: 'downsample', channels: 32, method: 'conv' },
  { type: 'downsample', channels: 32, method: 'conv', padding: 'end' },
  { type: 'downsample', channels: 32, method: 'avg_pool' },
  { type: 'upsample', channels: 32, method: 'nearest_conv' },
  { type: 'upsample', channels: 32, method: 'nearest' },
  { type: 'upsample', channels: 32, method: 'conv_transpose' },
  { type: 'identity', channels: 32 },
];
const EXAMPLES = WRITTEN.map(newLayer);

const ATTENTION = EXAMPLES.find(({ type }) => type === 'attention')!;

/** Levels and kinds instead of numbered blocks, and other names for the parts of most layers. */
const MADE_UP: Naming = {
  parts: {
    ...namingOf('improved-diffusion').parts,
    conv: { conv: 'only' },
    res_block: {
      norm1: 'norm1',
      silu1: 'act',
      conv1: 'conv1',
      time_silu: 'act',
      time: 'time_emb_proj',
      norm2: 'norm2',
      silu2: 'act',
      dropout: 'drop',
      conv2: 'conv2',
      skip: 'conv_shortcut',
    },
    attention: {
      norm: 'group_norm',
      qkv: 'in.qkv',
      q: 'to_q',
      k: 'to_k',
      v: 'to_v',
      attention: 'core',
      proj: 'to_out.0',
    },
    downsample: { conv: 'down' },
    upsample: { conv: 'up' },
  },
  besides: {
    ...namingOf('improved-diffusion').besides,
    time_embed: 'time_embedding',
    label_emb: 'class_embedding',
    out: '',
  },
  prefixes: (blocks) =>
    blocks.map((block) => block.layers.map(({ type }, i) => `levels.${blockPath(block)}.${type}s.${i}`)),
  compare: () => 0,
  moduleOf: (name) => name.split('.').slice(0, 4).join('.'),
};

const NAMINGS = { 'improved-diffusion': namingOf('improved-diffusion'), 'made-up': MADE_UP };
const model = { dims: 2, hidden: 128 } as const;

/** Parameters that a layer lists and that its ops read, and the paths of its ops. */
function lowered(layer: Layer, naming: Naming) {
  const of = <T extends LayerType>(type: T, value: LayerOf<T>) => {
    const b = createOpGraphBuilder();
    const shape = [1, layerInChannels(layer), 8, 8];
    const x = b.add('input', [], { name: 'x', type: { dtype: 'f32', shape } }, 'x');
    const embedding = b.add('param', [], { name: 'embedding', shape: [1, model.hidden] }, 'embedding');
    const prefix = naming.prefixes([{ role: 'input', index: 3, layers: [layer] }])[0]![0]!;
    const names = { path: 'input_blocks.3.0', prefix, parts: naming.parts[type] };
    const def = layerDef(type);
    const tensors = def.parameters(value, model);
    const shared = { b, torso: PRECISIONS.f32, embedding, rowInput: () => x } as const;
    const result = def.lower(value, createScope(shared, { model, names, tensors }), x);
    const nodes = b.finish([{ name: 'output', value: result }]).nodes.slice(2);
    return {
      listed: tensors.map((t) => `${parameterName(names, t)} [${t.shape.join(', ')}]`),
      read: nodes.flatMap((n) => (n.op === 'param' ? [`${n.attrs.name} [${n.attrs.shape.join(', ')}]`] : [])),
      paths: nodes.map(({ path }) => path),
      norms: nodes.flatMap((n) => (n.op === 'group_norm' ? [n.attrs] : [])),
      tensors: new Map(tensors.map((t) => [parameterName({ ...names, prefix: '' }, t), t.shape])),
    };
  };
  return of(layer.type, layer);
}

test('there is an example of every type', () => {
  expect([...new Set(EXAMPLES.map(({ type }) => type))]).toEqual(Object.keys(LAYERS));
});

describe.each(Object.entries(NAMINGS))('%s', (_, naming) => {
  test.each(EXAMPLES)('$type: lowering reads what is listed', (layer) => {
    const { listed, read, paths, norms } = lowered(layer, naming);
    expect(read.toSorted()).toEqual(listed.toSorted());
    expect(new Set(listed).size).toBe(listed.length);
    expect(paths.filter((path) => !path.startsWith('input_blocks.3.0'))).toEqual([]);
    for (const attrs of norms) expect(attrs).toEqual(norm);
  });

  test.each(EXAMPLES)('$type: its tensors tell it, up to what no shape shows', (layer) => {
    const told = (one: Layer) =>
      [one.type, ...layerFacts(one).map(({ text, fact }) => (isTold(fact) ? text : null))] as const;
    const isTold = (fact: Fact) =>
      !isUntold(fact) && !(fact.changes === 'meaning' && fact.told === 'by place');
    const { tensors } = lowered(layer, naming);
    const found = readLayer(naming, tensors);
    if (tensors.size === 0) expect(found).toBeNull();
    else expect(told(found!)).toEqual(told(layer));
  });
});

test('a naming gives every name', () => {
  const names = (layer: Layer) => lowered(layer, MADE_UP).listed.map((line) => line.split(' ')[0]);
  expect(names(ATTENTION)).toEqual([
    'levels.input_blocks.3.attentions.0.group_norm.weight',
    'levels.input_blocks.3.attentions.0.group_norm.bias',
    'levels.input_blocks.3.attentions.0.in.qkv.weight',
    'levels.input_blocks.3.attentions.0.in.qkv.bias',
    'levels.input_blocks.3.attentions.0.to_out.0.weight',
    'levels.input_blocks.3.attentions.0.to_out.0.bias',
  ]);
  expect(lowered(ATTENTION, MADE_UP).paths).toContain('input_blocks.3.0.core');
});

describe('the written form', () => {
  test.each(EXAMPLES)('$type reads back as it is', (layer) => {
    expect(LAYERS[layer.type].schema.parse(writtenLayer(layer))).toEqual(layer);
  });

  test('leaves out a norm that is the usual one', () => {
    const layer = newLayer({ type: 'attention', channels: 32, heads: 4, norm: { groups: 32, eps: 1e-5 } });
    expect(Object.keys(writtenLayer(layer))).toEqual(['type', 'channels', 'heads']);
    expect(printLayer(layer)).toBe('attention 32 heads 4');
    expect(printLayer(newLayer({ type: 'attention', channels: 32, heads: 4, norm }))).toBe(
      'attention 32 heads 4 norm 16 groups eps 0.000001',
    );
  });
});
