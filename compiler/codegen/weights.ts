// Collects the weights of one dispatch: which parameters stand where, in what packing.

import { STORED_BYTES, type StoredType, type WeightPart } from '../../runtime/bundle.ts';
import { InternalError, invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import { sizeOf } from '../ops/op.ts';
import { planesOf } from '../schedule/choices/winograd.ts';
import type { Tile, WinogradTile } from '../schedule/schedule.ts';
import type { WeightBlob } from './kernel-call.ts';

export interface ProductPlace {
  readonly layout: 'rows' | 'quads';
  readonly tile: Tile;
  readonly chunk: number;
  readonly steps: number;
  readonly firstStep: number;
  readonly transposed: boolean;
  /** Where the whole product's weights begin, as `reserveProduct` gave it. */
  readonly offset: number;
}

export type WinogradPlace = Pick<ProductPlace, 'tile' | 'chunk' | 'transposed'> & {
  readonly m: WinogradTile;
};

export interface WeightsBuilder {
  /** Appends a vector and returns its offset in words. */
  vector(node: number): number;
  /** The same for a product's bias; of `channels` zeros where it has none. */
  bias(node: number | undefined, channels: number): number;
  /** Appends a table [rows, row], each row filled up to a multiple of four. */
  table(node: number): number;
  /** Adds a vector to one that stands at `offset`. */
  accumulate(node: number, offset: number): void;
  /** Appends room for a product's column tiles, stored as float32 where nothing else is said, and returns its offset. */
  reserveProduct(columns: number, steps: number, chunk: number, tile: Tile, stored?: StoredType): number;
  product(node: number, place: ProductPlace): void;
  /** Appends the transformed planes of a 3x3 convolution by F(m x m, 3 x 3). */
  winograd(node: number, place: WinogradPlace): void;
  linear(node: number): number;
  finish(storage?: 'texture'): WeightBlob;
}

export function createWeightsBuilder(graph: OpGraph): WeightsBuilder {
  const parts: WeightPart[] = [];
  let length = 0;
  const take = (words: number) => {
    const offset = length;
    length += Math.ceil(words / 4) * 4;
    return offset;
  };
  const vectors = (node: number, offset: number, accumulate: boolean) => {
    let at = offset;
    const stored = storedType(graph, node);
    for (const { name, shape } of paramsOf(graph, node)) {
      parts.push({
        kind: 'vector',
        stored,
        param: name,
        length: sizeOf(shape),
        row: sizeOf(shape),
        accumulate,
        offset: at,
      });
      at += sizeOf(shape);
    }
  };
  const vector = (node: number) => {
    const offset = take(sizeOf(graph.nodes[node]!.type.shape));
    vectors(node, offset, false);
    return offset;
  };
  return {
    vector,
    bias: (node, channels) => (node === undefined ? take(channels) : vector(node)),
    table(node) {
      const [param] = paramsOf(graph, node);
      const [rows = 1, row = 1] = param!.shape;
      const offset = take(rows * Math.ceil(row / 4) * 4);
      const stored = storedType(graph, node);
      parts.push({
        kind: 'vector',
        stored,
        param: param!.name,
        length: rows * row,
        row,
        accumulate: false,
        offset,
      });
      return offset;
    },
    accumulate: (node, offset) => vectors(node, offset, true),
    reserveProduct: (columns, steps, chunk, tile, stored = 'f32') =>
      take((Math.ceil(columns / tile.n) * steps * chunk * tile.n * STORED_BYTES[stored]) / 4),
    product(node, { layout, tile, chunk, steps, firstStep, transposed, offset }) {
      let output = 0;
      const params = paramsOf(graph, node);
      invariant(
        !transposed || params.length === 1,
        () => `%${node} joins the inputs of a transposed product: such parts have no place`,
      );
      for (const { name, shape } of params) {
        const [first = 1, second = 1, ...taps] = shape;
        const outputs = transposed ? second : first;
        parts.push({
          kind: 'product',
          ...storedIn(layout, storedType(graph, node)),
          layout,
          param: name,
          outputs,
          inputs: transposed ? first : second,
          taps: sizeOf(taps),
          transposed,
          tile: tile.n,
          chunk,
          steps,
          first_step: firstStep,
          first_output: output,
          offset,
        });
        output += outputs;
      }
    },
    winograd(node, { m, tile, chunk, transposed }) {
      const [param, ...more] = paramsOf(graph, node);
      invariant(more.length === 0, () => `%${node} is joined: planes of parts have no place`);
      const [first = 1, second = 1] = param!.shape;
      const [outputs, inputs] = transposed ? [second, first] : [first, second];
      const plane = Math.ceil(outputs / tile.n) * Math.ceil(inputs / chunk) * chunk * tile.n;
      const offset = take(planesOf(m) * plane);
      parts.push({
        kind: 'winograd',
        ...roundedTo(storedType(graph, node)),
        param: param!.name,
        m,
        outputs,
        inputs,
        transposed,
        tile: tile.n,
        chunk,
        plane,
        offset,
      });
    },
    linear(node) {
      const [outputs = 1, inputs = 1] = graph.nodes[node]!.type.shape;
      const offset = take(Math.ceil(outputs / 64) * 64 * Math.ceil(inputs / 4) * 4);
      let row = 0;
      for (const { name, shape } of paramsOf(graph, node)) {
        parts.push({ kind: 'linear', param: name, outputs: shape[0]!, inputs, first_output: row, offset });
        row += shape[0]!;
      }
      return offset;
    },
    finish(storage) {
      invariant(length > 0, 'a dispatch with an empty list of weights');
      return { length, texture: storage === 'texture', parts };
    },
  };
}

/** How the weights that a node stands for are stored. */
export function storedType(graph: OpGraph, node: number): StoredType {
  const { dtype } = graph.nodes[node]!.type;
  invariant(dtype !== 'u32', `%${node} is no weight`);
  return dtype;
}

/** Products by quads are float32 of what a weight is rounded to, for processors, whose textures cost more to decode than to read. */
function storedIn(
  layout: ProductPlace['layout'],
  type: StoredType,
): { readonly stored: StoredType; readonly rounded?: true } {
  return layout === 'rows' ? { stored: type } : { stored: 'f32', ...roundedTo(type) };
}

function roundedTo(type: StoredType): { readonly rounded?: true } {
  return type === 'f16' ? { rounded: true } : {};
}

interface Param {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The parameters that a constant is made of, in order. */
function paramsOf(graph: OpGraph, id: number): readonly Param[] {
  const node = graph.nodes[id]!;
  switch (node.op) {
    case 'param':
      return [node.attrs];
    case 'param_concat':
      return node.inputs.flatMap((i) => paramsOf(graph, i));
    case 'cast':
    case 'reshape':
      return paramsOf(graph, node.inputs[0]!);
    default:
      throw new InternalError(`%${id} (${node.op}, ${node.path}) is no parameter`);
  }
}
