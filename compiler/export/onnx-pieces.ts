// A model with its weights as the pieces of one file: what the bytes of a message are does not depend on the values in it, so
// that lengths stand before values that nobody has read yet.

import { InternalError } from '../diagnostics.ts';
import { type GraphProto, type ModelProto, messageType, type TensorProto } from './onnx-proto.ts';

/** A tensor whose elements are read when their turn comes. */
export interface LateTensor {
  readonly tensor: Omit<TensorProto, 'raw_data'>;
  /** Bytes of its elements. */
  readonly length: number;
  read(): Uint8Array;
}

/** Fields of length-delimited messages: the graph of a model, an initializer of a graph, the elements of a tensor. */
const [GRAPH, INITIALIZER, RAW_DATA] = [7, 5, 9];

/** The model file, with `late` in front of the graph's other initializers. */
export function* encodeInPieces(model: ModelProto, late: readonly LateTensor[]): Generator<Uint8Array> {
  const { graph, opset_import, metadata_props, ...before } = model;
  const { node, name, ...rest } = graph;
  const head = encode('GraphProto', { node, name });
  const heads = late.map((one) => {
    const tensor = encode('TensorProto', one.tensor);
    const inner = joined([tensor, delimiter(RAW_DATA, one.length)]);
    return joined([delimiter(INITIALIZER, inner.length + one.length), inner]);
  });
  const tail = encode('GraphProto', rest satisfies Partial<GraphProto>);
  const length = late.reduce((sum, one, i) => sum + heads[i]!.length + one.length, head.length + tail.length);
  yield joined([encode('ModelProto', before), delimiter(GRAPH, length), head]);
  for (const [i, one] of late.entries()) {
    yield heads[i]!;
    const bytes = one.read();
    if (bytes.length !== one.length) {
      throw new InternalError(`onnx: ${one.tensor.name} has ${bytes.length} bytes, expected ${one.length}`);
    }
    yield bytes;
  }
  yield joined([tail, encode('ModelProto', { opset_import, metadata_props })]);
}

/** Some fields of a message; fields are written in the order of their numbers. */
function encode(message: string, fields: object): Uint8Array {
  const type = messageType(message);
  const fault = type.verify(fields);
  if (fault !== null) throw new InternalError(`onnx: ${fault}`);
  return type.encode(fields).finish();
}

/** What stands before the bytes of a field that has a length. */
function delimiter(field: number, length: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8 + 2), ...varint(length)]);
}

/** Seven bits a byte, the least significant first. Division: lengths may have more than 31 bits. */
function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
