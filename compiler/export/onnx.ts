// An OpGraph with its weights as an ONNX model: to be looked at in a viewer and run by an independent engine.

import { invariant } from '../diagnostics.ts';
import { countParams } from '../opgraph/cost.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import type { ParamReader } from '../opgraph/reference.ts';
import { type Shape, sizeOf, type TensorType } from '../ops/op.ts';
import { createOnnxBuilder, type OnnxBuilder, onnxType } from './onnx-builder.ts';
import { lowerToOnnx, type OnnxValue } from './onnx-ops.ts';
import { encodeInPieces, type LateTensor } from './onnx-pieces.ts';
import {
  EXTERNAL,
  type ModelProto,
  type NodeProto,
  ONNX_TYPE,
  type TensorProto,
  type ValueInfoProto,
} from './onnx-proto.ts';

/** Bytes of weights that fit into the model file: protobuf ends at 2 GiB, and the graph needs some of that. */
export const ONNX_INLINE_LIMIT = 2 ** 31 - 2 ** 24;

/** Where external weights begin in their file: on a page, so that engines can map them. */
const PAGE = 4096;

export interface OnnxMeta {
  /** Name of the graph. */
  readonly name: string;
  /** Version of the producer, unetc. */
  readonly version: string;
  /** Shown by viewers as the model's description. */
  readonly description: string;
  /** Further properties of the model, in order. */
  readonly properties: readonly (readonly [key: string, value: string])[];
  /** Name of the file beside the model that holds the weights; null keeps them in the model. */
  readonly weightsFile: string | null;
  /** Whether a call of the model decides how many images there are, whatever the graph was lowered for. Default: no. */
  readonly anyBatch?: boolean | undefined;
}

export interface OnnxExport {
  /** The model file in pieces: a ModelProto of IR version 8, opset 17. Weights in it are read when their turn comes. */
  readonly model: Iterable<Uint8Array>;
  /** The file of weights in pieces, each read when it is asked for; null where the model holds them. */
  readonly weights: Iterable<Uint8Array> | null;
  /** Operators in the model. */
  readonly nodes: number;
}

/** Bytes of all parameters of a graph; above ONNX_INLINE_LIMIT they need a file of their own. */
export function onnxWeightBytes(graph: OpGraph): number {
  return 4 * countParams(graph);
}

/** What viewers call the dimension that a call of the model decides. */
const BATCH = 'batch';

/**
 * Exports a graph. Shapes are fixed, but for the batch where `anyBatch` is asked for: the first dimension of every input and
 * output is called `batch` then. Inputs are called as in the graph (`y` as int64), outputs too; weights bear their
 * checkpoint names and stay float32, nodes their dotted path and operator.
 */
export function exportOnnx(graph: OpGraph, params: ParamReader, meta: OnnxMeta): OnnxExport {
  invariant(
    meta.weightsFile !== null || onnxWeightBytes(graph) <= ONNX_INLINE_LIMIT,
    `onnx: ${onnxWeightBytes(graph)} bytes of weights do not fit into the model file`,
  );
  const inputs = leafTypes(graph, 'input');
  const weights = [...leafTypes(graph, 'param')].map(([name, { shape }]) => ({ name, shape }));
  const { anyBatch = false } = meta;
  const b = createOnnxBuilder(
    [...inputs.keys(), ...weights.map((w) => w.name), ...graph.outputs.map((o) => o.name)],
    anyBatch,
  );
  const { nodes, constants } = lowerNodes(graph, b);
  const outputs = new Map(graph.outputs.map(({ name, value }) => [name, graph.nodes[value]!.type]));
  const model: ModelProto = {
    ir_version: 8,
    opset_import: [{ domain: '', version: 17 }],
    producer_name: 'unetc',
    producer_version: meta.version,
    doc_string: meta.description,
    metadata_props: meta.properties.map(([key, value]) => ({ key, value })),
    graph: {
      name: meta.name,
      node: nodes,
      initializer:
        meta.weightsFile === null ? constants : [...placed(weights, meta.weightsFile), ...constants],
      input: [...inputs].map((one) => valueInfo(one, anyBatch)),
      output: [...outputs].map((one) => valueInfo(one, anyBatch)),
    },
  };
  return {
    model: encodeInPieces(model, meta.weightsFile === null ? lateTensors(weights, params) : []),
    weights: meta.weightsFile === null ? null : weightPages(weights, params),
    nodes: nodes.length,
  };
}

/** Names and types of the inputs or parameters, in the order of the graph. */
function leafTypes(graph: OpGraph, op: 'input' | 'param'): Map<string, TensorType> {
  const types = new Map<string, TensorType>();
  for (const node of graph.nodes) {
    if ((node.op === 'input' || node.op === 'param') && node.op === op) types.set(node.attrs.name, node.type);
  }
  return types;
}

/** The operators of all nodes, with the graph's outputs under their names. */
function lowerNodes(graph: OpGraph, b: OnnxBuilder) {
  const values: OnnxValue[] = [];
  for (const node of graph.nodes) {
    const leaf = node.op === 'input' || node.op === 'param';
    const operands = node.inputs.map((i) => values[i]!);
    values.push({ name: leaf ? node.attrs.name : lowerToOnnx(b, node, operands), type: node.type });
  }
  const renamed = new Map<string, string>();
  const computed = new Set(b.finish().nodes.flatMap((n) => n.output));
  for (const { name, value } of graph.outputs) {
    const internal = values[value]!.name;
    if (computed.has(internal) && !renamed.has(internal)) renamed.set(internal, name);
    else b.alias(name, internal);
  }
  const { nodes, constants } = b.finish();
  return { nodes: nodes.map((node) => renameValues(node, renamed)), constants };
}

function renameValues(node: NodeProto, renamed: ReadonlyMap<string, string>): NodeProto {
  const rename = (name: string) => renamed.get(name) ?? name;
  return { ...node, input: node.input.map(rename), output: node.output.map(rename) };
}

function valueInfo(
  [name, { dtype, shape }]: readonly [string, TensorType],
  anyBatch: boolean,
): ValueInfoProto {
  const dim = shape.map((dim_value, i) => (anyBatch && i === 0 ? { dim_param: BATCH } : { dim_value }));
  return { name, type: { tensor_type: { elem_type: onnxType(dtype), shape: { dim } } } };
}

interface Weight {
  readonly name: string;
  readonly shape: Shape;
}

function lateTensors(weights: readonly Weight[], params: ParamReader): LateTensor[] {
  return weights.map(({ name, shape }) => ({
    tensor: { name, dims: shape, data_type: ONNX_TYPE.float },
    length: 4 * sizeOf(shape),
    read: () => bytesOf(params(name, shape)),
  }));
}

/** Weights in a file beside the model. */
function placed(weights: readonly Weight[], file: string): TensorProto[] {
  let offset = 0;
  return weights.map(({ name, shape }) => {
    const length = 4 * sizeOf(shape);
    const place = { location: file, offset: String(offset), length: String(length) };
    offset += Math.ceil(length / PAGE) * PAGE;
    const external_data = Object.entries(place).map(([key, value]) => ({ key, value }));
    return { name, dims: shape, data_type: ONNX_TYPE.float, external_data, data_location: EXTERNAL };
  });
}

/** The weights in order, each filled up to whole pages. */
function* weightPages(weights: readonly Weight[], params: ParamReader): Generator<Uint8Array> {
  for (const { name, shape } of weights) {
    const bytes = bytesOf(params(name, shape));
    yield bytes;
    yield new Uint8Array(Math.ceil(bytes.length / PAGE) * PAGE - bytes.length);
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
