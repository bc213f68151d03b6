// Whole models as ONNX: what an independent engine makes of them, and what a viewer shows.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { exportOnnx } from '../../../compiler/export/onnx.ts';
import { encodeInPieces } from '../../../compiler/export/onnx-pieces.ts';
import { decodeModel, ONNX_TYPE } from '../../../compiler/export/onnx-proto.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { lowerGraph } from '../../../compiler/graph/lower.ts';
import type { OpGraph } from '../../../compiler/opgraph/opgraph.ts';
import { type ParamReader, runReference } from '../../../compiler/opgraph/reference.ts';
import { hashTensor } from '../../../runtime/weights/hash.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { unet2dGraphUpTo } from '../../arbitrary-unet-2d-graph.ts';
import { smallestGroup } from '../../fixtures/conditioning.ts';
import { goldenForward } from '../../fixtures/golden-forward.ts';
import { META, modelFile, pickImages, runModel, runOnnx } from '../../fixtures/onnx-session.ts';
import { noise32, relativeL2, tensor } from '../../fixtures/values.ts';
import { ALL_NAMES, CLASSIFIER_NAMES, goldenCase, goldenGraph } from '../../golden-cases.ts';

const folder = mkdtempSync(join(tmpdir(), 'unetc-onnx-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Of a classifier PyTorch also gave a gradient, which a forward pass has not. */
function declaresOutput({ outputs }: OpGraph, key: string): boolean {
  return outputs.some(({ name }) => name === key);
}

describe('an exported model', () => {
  it.each(ALL_NAMES)('gives on onnxruntime what PyTorch gave: %s', { timeout: 120_000 }, async (name) => {
    const { ops, params, inputs, expected } = goldenForward(name);
    const results = await runOnnx(ops, params, inputs);
    expect([...results.keys()]).toEqual(ops.outputs.map((o) => o.name));
    for (const [key, golden] of expected) {
      expect(results.get(key)!.shape).toEqual(golden.shape);
      expect(relativeL2(results.get(key)!.data, golden.data), key).toBeLessThan(5e-6);
    }
  });

  it.each([...ALL_NAMES, ...CLASSIFIER_NAMES].filter((name) => goldenCase(name).params < 1e7))(
    'of any batch gives each image what PyTorch gave: %s',
    { timeout: 120_000 },
    async (name) => {
      const { params, inputs, expected } = goldenForward(name);
      const { graph } = loadGraph(goldenGraph(name), name);
      const ops = lowerGraph(graph, { batch: 1, taps: true, precision: 'f32' });
      const model = modelFile(ops, params, { ...META, anyBatch: true });
      const declared = decodeModel(model).graph;
      for (const { type } of [...declared.input, ...declared.output]) {
        expect(type.tensor_type.shape.dim[0]).toEqual({ dim_param: 'batch' });
      }
      const golden = Object.fromEntries([...expected].filter(([key]) => declaresOutput(ops, key)));
      const last = inputs.x.shape[0]! - 1;
      for (const images of [[0], [last, 0, last], [0, 0, last, 0, last]]) {
        const results = await runModel(model, pickImages(inputs, images));
        for (const [key, { shape, data }] of Object.entries(pickImages(golden, images))) {
          expect(results.get(key)!.shape).toEqual(shape);
          expect(relativeL2(results.get(key)!.data, data), key).toBeLessThan(1e-5);
        }
      }
    },
  );

  it.each([
    ['improved-diffusion', arbitraryCompactGraph],
    ['diffusers', unet2dGraphUpTo(16)],
  ] as const)(
    'gives on onnxruntime what the reference gives: arbitrary models of %s',
    { timeout: 120_000 },
    async (_, specs) => {
      await fc.assert(
        fc.asyncProperty(specs, fc.integer({ min: 1, max: 3 }), async (spec, batch) => {
          const { graph } = loadGraph(JSON.stringify(spec), 'arbitrary');
          const ops = lowerGraph(graph, { batch, taps: true, precision: 'f32' });
          fc.pre(smallestGroup(ops) >= 8);
          const inputs = {
            x: noise32([batch, graph.in_channels, ...graph.image_size], 1),
            timesteps: tensor([batch], [3.5, 999, 0].slice(0, batch)),
            y: tensor(
              [batch],
              [0, graph.num_classes ?? 1, 1].slice(0, batch).map((y) => Math.max(0, y - 1)),
            ),
            low_res: noise32([batch, graph.in_channels, ...(graph.super_resolution?.low_res_size ?? [])], 2),
          };
          const params: ParamReader = (name, shape) => hashTensor(name, shape, 3);
          const results = await runOnnx(ops, params, inputs);
          for (const [key, { data }] of runReference(ops, params, inputs)) {
            expect(relativeL2(results.get(key)!.data, data), key).toBeLessThan(1e-5);
          }
        }),
        { numRuns: 12 },
      );
    },
  );

  const { ops, params, inputs } = goldenForward('tiny-superres');
  const model = decodeModel(modelFile(ops, params));

  it('says what it is', () => {
    const properties = [['parameters', '758534']] as const;
    const described = decodeModel(modelFile(ops, params, { ...META, properties }));
    expect(described).toMatchObject({
      ir_version: 8,
      opset_import: [{ version: 17 }],
      producer_name: 'unetc',
      producer_version: META.version,
      doc_string: META.description,
      graph: { name: META.name },
      metadata_props: [{ key: 'parameters', value: '758534' }],
    });
  });

  it('takes the inputs by their names, labels as int64', () => {
    const shown = model.graph.input.map(({ name, type }) => {
      const { elem_type, shape } = type.tensor_type;
      return `${name} ${elem_type} ${shape.dim.map((d) => ('dim_value' in d ? d.dim_value : d.dim_param))}`;
    });
    expect(shown.toSorted()).toEqual(['low_res 1 2,3,8,8', 'timesteps 1 2', 'x 1 2,3,32,32', 'y 7 2']);
  });

  it('has no type but float32 and int64, for not every engine has more', () => {
    const casts = model.graph.node.filter(({ op_type }) => op_type === 'Cast');
    expect(casts).toEqual([]);
    const types = model.graph.initializer.map(({ data_type }) => data_type);
    expect([...new Set(types)].toSorted()).toEqual([ONNX_TYPE.float, ONNX_TYPE.int64]);
  });

  it('holds every parameter under its checkpoint name and shape', () => {
    const held = new Map(model.graph.initializer.map((t) => [t.name, t.dims]));
    const named = ops.nodes.filter((node) => node.op === 'param');
    for (const { attrs } of named) expect(held.get(attrs.name)).toEqual(attrs.shape);
    expect(model.graph.initializer.filter((t) => !t.name.startsWith('constant.'))).toHaveLength(named.length);
  });

  it('names nodes by path and operator, and no two things alike', () => {
    const { node } = model.graph;
    expect(node.map((n) => n.name)).toContain('input_blocks.1.0.in_layers.2/Conv');
    expect(new Set(node.map((n) => n.name)).size).toBe(node.length);
    const values = [
      ...node.flatMap((n) => n.output),
      ...model.graph.initializer.map((t) => t.name),
      ...model.graph.input.map((i) => i.name),
    ];
    expect(new Set(values).size).toBe(values.length);
  });

  it('comes in pieces, and a weight is read when its turn comes', () => {
    const read: string[] = [];
    const pieces = exportOnnx(
      ops,
      (name, shape) => {
        read.push(name);
        return params(name, shape);
      },
      META,
    ).model;
    const counts: number[] = [];
    for (const _ of pieces) counts.push(read.length);
    expect(counts[0]).toBe(0);
    expect(read.length).toBeGreaterThan(100);
    expect(counts.every((count, i) => i === 0 || count - counts[i - 1]! <= 1)).toBe(true);
    // 2^32 bytes and more have a length, too
    const late = [
      {
        tensor: { name: 'w', dims: [2 ** 30], data_type: 1 as const },
        length: 2 ** 32,
        read: () => new Uint8Array(8),
      },
    ];
    expect(() => [...encodeInPieces(model, late)]).toThrow('w has 8 bytes, expected 4294967296');
  });

  it('is the same bytes each time', () => {
    expect(Buffer.compare(modelFile(ops, params), modelFile(ops, params))).toBe(0);
  });

  it('can keep its weights in a file beside it', async () => {
    const exported = exportOnnx(ops, params, { ...META, weightsFile: 'model.onnx.data' });
    const model = Buffer.concat([...exported.model]);
    writeFileSync(join(folder, 'model.onnx'), model);
    writeFileSync(join(folder, 'model.onnx.data'), Buffer.concat([...exported.weights!]));
    expect(model.length).toBeLessThan(200_000);
    const inside = await runOnnx(ops, params, inputs);
    const beside = await runModel(join(folder, 'model.onnx'), inputs);
    for (const [key, { data }] of inside) expect(relativeL2(beside.get(key)!.data, data), key).toBe(0);
  });

  it('refuses weights that do not fit into one file', () => {
    const huge = {
      nodes: [
        {
          op: 'param',
          inputs: [],
          attrs: { name: 'w', shape: [2 ** 29] },
          type: { dtype: 'f32', shape: [2 ** 29] },
          path: '',
        },
      ],
      outputs: [{ name: 'output', value: 0 }],
    } as const;
    expect(() => exportOnnx(huge, params, META)).toThrow(/2147483648 bytes of weights do not fit/);
  });
});
