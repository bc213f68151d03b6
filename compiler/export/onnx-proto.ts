// The messages of ONNX that an export needs, and their encoding.
// Names and field numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).

import protobuf from 'protobufjs/light.js';

/** TensorProto.DataType. */
export const ONNX_TYPE = { float: 1, int64: 7, float16: 10 } as const;
export type OnnxType = (typeof ONNX_TYPE)[keyof typeof ONNX_TYPE];

export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data_type: OnnxType;
  /** Little-endian elements, row-major. */
  readonly raw_data?: Uint8Array;
  /** Where the elements are when they are in another file: its name, and offset and length in bytes. */
  readonly external_data?: readonly StringStringEntryProto[];
  readonly data_location?: typeof EXTERNAL;
}

/** TensorProto.DataLocation. */
export const EXTERNAL = 1;

/** AttributeProto.AttributeType decides which of the fields holds the value. */
export type AttributeProto = { readonly name: string } & (
  | { readonly type: 1; readonly f: number }
  | { readonly type: 2; readonly i: number }
  | { readonly type: 3; readonly s: Uint8Array }
  | { readonly type: 7; readonly ints: readonly number[] }
);

export interface NodeProto {
  readonly name: string;
  readonly op_type: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeProto[];
}

/** The size of a dimension, or the name of one that a call of the model decides. */
export type DimensionProto = { readonly dim_value: number } | { readonly dim_param: string };

export interface ValueInfoProto {
  readonly name: string;
  readonly type: {
    readonly tensor_type: {
      readonly elem_type: OnnxType;
      readonly shape: { readonly dim: readonly DimensionProto[] };
    };
  };
  readonly doc_string?: string;
}

export interface StringStringEntryProto {
  readonly key: string;
  readonly value: string;
}

export interface GraphProto {
  readonly name: string;
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

export interface ModelProto {
  readonly ir_version: number;
  readonly opset_import: readonly { readonly domain: string; readonly version: number }[];
  readonly producer_name: string;
  readonly producer_version: string;
  readonly doc_string: string;
  readonly metadata_props: readonly StringStringEntryProto[];
  readonly graph: GraphProto;
}

type Field = { readonly type: string; readonly id: number; readonly rule?: 'repeated' };

const one = (type: string, id: number): Field => ({ type, id });
const many = (type: string, id: number): Field => ({ type, id, rule: 'repeated' });

const MESSAGES: Readonly<Record<string, { readonly fields: Readonly<Record<string, Field>> }>> = {
  ModelProto: {
    fields: {
      ir_version: one('int64', 1),
      producer_name: one('string', 2),
      producer_version: one('string', 3),
      doc_string: one('string', 6),
      graph: one('GraphProto', 7),
      opset_import: many('OperatorSetIdProto', 8),
      metadata_props: many('StringStringEntryProto', 14),
    },
  },
  OperatorSetIdProto: { fields: { domain: one('string', 1), version: one('int64', 2) } },
  StringStringEntryProto: { fields: { key: one('string', 1), value: one('string', 2) } },
  GraphProto: {
    fields: {
      node: many('NodeProto', 1),
      name: one('string', 2),
      initializer: many('TensorProto', 5),
      input: many('ValueInfoProto', 11),
      output: many('ValueInfoProto', 12),
    },
  },
  NodeProto: {
    fields: {
      input: many('string', 1),
      output: many('string', 2),
      name: one('string', 3),
      op_type: one('string', 4),
      attribute: many('AttributeProto', 5),
    },
  },
  AttributeProto: {
    fields: {
      name: one('string', 1),
      f: one('float', 2),
      i: one('int64', 3),
      s: one('bytes', 4),
      ints: many('int64', 8),
      type: one('int32', 20),
    },
  },
  TensorProto: {
    fields: {
      dims: many('int64', 1),
      data_type: one('int32', 2),
      name: one('string', 8),
      raw_data: one('bytes', 9),
      external_data: many('StringStringEntryProto', 13),
      data_location: one('int32', 14),
    },
  },
  ValueInfoProto: {
    fields: { name: one('string', 1), type: one('TypeProto', 2), doc_string: one('string', 3) },
  },
  TypeProto: { fields: { tensor_type: one('TensorTypeProto', 1) } },
  TensorTypeProto: { fields: { elem_type: one('int32', 1), shape: one('TensorShapeProto', 2) } },
  TensorShapeProto: { fields: { dim: many('DimensionProto', 1) } },
  DimensionProto: { fields: { dim_value: one('int64', 1), dim_param: one('string', 2) } },
};

/** A message's type, to encode it by. */
export function messageType(name: string): protobuf.Type {
  return protobuf.Root.fromJSON({ nested: { ...MESSAGES } }).lookupType(name);
}

/** The model in the bytes of a file; 64-bit integers become numbers, absent lists become empty. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const type = messageType('ModelProto');
  const plain: unknown = type.toObject(type.decode(bytes), { longs: Number, defaults: false, arrays: true });
  return plain as ModelProto;
}
