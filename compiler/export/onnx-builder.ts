// Collects the nodes and initializers of an ONNX graph under unique names that read well in a viewer.

import type { DType, Shape } from '../ops/op.ts';
import {
  type AttributeProto,
  type NodeProto,
  ONNX_TYPE,
  type OnnxType,
  type TensorProto,
} from './onnx-proto.ts';

export interface OnnxBuilder {
  /** Whether a call of the model decides how many images there are; else it is as many as the graph was lowered for. */
  readonly anyBatch: boolean;
  /** Appends a node with one result and returns the result's name: `path/op_type`, numbered where that is taken. */
  node(path: string, opType: string, inputs: readonly string[], attrs?: readonly AttributeProto[]): string;
  /** Appends a node with several results. */
  nodes(
    path: string,
    opType: string,
    inputs: readonly string[],
    results: readonly string[],
    attrs?: readonly AttributeProto[],
  ): readonly string[];
  /** Gives a value a second name, one that was reserved. */
  alias(name: string, value: string): void;
  /** A constant in the file, one for each distinct value. Returns its name. */
  int64(values: readonly number[]): string;
  float(shape: Shape, values: readonly number[]): string;
  /** Nodes and constants so far. */
  finish(): { readonly nodes: readonly NodeProto[]; readonly constants: readonly TensorProto[] };
}

export const int = (name: string, i: number): AttributeProto => ({ name, type: 2, i });
export const ints = (name: string, values: Shape): AttributeProto => ({ name, type: 7, ints: values });
export const float = (name: string, f: number): AttributeProto => ({ name, type: 1, f });
export const text = (name: string, s: string): AttributeProto => ({
  name,
  type: 3,
  s: new TextEncoder().encode(s),
});

/** The ONNX type of a value; labels are int64, which is what ONNX gathers by. */
export function onnxType(dtype: DType): OnnxType {
  switch (dtype) {
    case 'f32':
      return ONNX_TYPE.float;
    case 'f16':
      return ONNX_TYPE.float16;
    case 'u32':
      return ONNX_TYPE.int64;
  }
}

/** A builder that never gives out one of the `reserved` names, those of inputs, outputs and parameters. */
export function createOnnxBuilder(reserved: Iterable<string>, anyBatch: boolean): OnnxBuilder {
  const taken = new Set(reserved);
  const nodes: NodeProto[] = [];
  const constants = new Map<string, TensorProto>();

  const unique = (name: string): string => {
    let candidate = name;
    for (let n = 1; taken.has(candidate); n++) candidate = `${name}_${n}`;
    taken.add(candidate);
    return candidate;
  };
  const constant = (
    kind: keyof typeof ONNX_TYPE,
    dims: Shape,
    values: readonly number[],
    bytes: ArrayBufferLike,
  ) => {
    const key = `${kind}[${dims}]:${values}`;
    const known = constants.get(key);
    if (known !== undefined) return known.name;
    const name = unique(`constant.${kind}${dims.length === 0 ? `.${values[0]}` : ''}`);
    constants.set(key, { name, dims, data_type: ONNX_TYPE[kind], raw_data: new Uint8Array(bytes) });
    return name;
  };

  return {
    anyBatch,
    node(path, opType, inputs, attrs = []) {
      const name = unique(path === '' ? opType : `${path}/${opType}`);
      nodes.push({ name, op_type: opType, input: inputs, output: [name], attribute: attrs });
      return name;
    },
    nodes(path, opType, inputs, results, attrs = []) {
      const name = unique(path === '' ? opType : `${path}/${opType}`);
      const output = results.map((result) => unique(`${name}.${result}`));
      nodes.push({ name, op_type: opType, input: inputs, output, attribute: attrs });
      return output;
    },
    alias(name, value) {
      nodes.push({
        name: unique(`${name}/Identity`),
        op_type: 'Identity',
        input: [value],
        output: [name],
        attribute: [],
      });
    },
    int64: (values) =>
      constant('int64', [values.length], values, BigInt64Array.from(values, (v) => BigInt(v)).buffer),
    float: (shape, values) => constant('float', shape, values, Float32Array.from(values).buffer),
    finish: () => ({ nodes, constants: [...constants.values()] }),
  };
}
