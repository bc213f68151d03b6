// The calls that pack parameters in training for the kernels that read them: one a part of a dispatch's weights. Where each
// number goes, and which float16 it becomes, is what `runtime/weights/pack.ts` says of parts that the host packs; a parameter stands in its arena as
// [row][tap][column], columns filled up to whole quads.

import { STORED_BYTES, type WeightPart } from '../../../runtime/bundle.ts';
import { invariant } from '../../diagnostics.ts';
import { sizeOf } from '../../ops/op.ts';
import type { PlacedParameter } from '../../schedule/update.ts';
import { type Fragment, readBuffer } from '../fragment.ts';
import { gridOver } from '../groups/grid.ts';
import { planesTransform } from '../groups/winograd-transforms.ts';
import { type CallRequest, callKernel, type KernelCall, type WeightBlob } from '../kernel-call.ts';
import { gapsOf } from './unpacked.ts';

/** The calls that pack the weights of a dispatch. A vector that is added to another one is packed together with it. */
export function packBlob(
  blob: WeightBlob,
  parameterOf: (part: WeightPart) => PlacedParameter,
): readonly Packing[] {
  const vectors = blob.parts.filter((part) => part.kind === 'vector');
  // of vectors that are added up, the first has the call
  const isAdded = (part: WeightPart) =>
    part.kind === 'vector' && vectors.find(({ offset }) => offset === part.offset) !== part;
  return blob.parts
    .filter((part) => !isAdded(part))
    .map((part) => {
      const parameter = parameterOf(part);
      const added = vectors.filter((other) => other !== part && other.offset === part.offset);
      return { parameter, call: packPart(blob, part, parameter, added.map(parameterOf)) };
    });
}

/** The calls that write zeros where no parameter fills the weights of a dispatch. */
export function clearBlob(
  blob: WeightBlob,
): readonly { readonly call: KernelCall; readonly bytes: number }[] {
  return gapsOf(blob).map(({ first, end }) => {
    const quads = Math.ceil((end - first) / 4);
    const call = callKernel({
      file: 'zeros',
      declared: { zeros: { kind: 'packed', blob } },
      workgroups: gridOver(quads, 4096),
      sizes: { quads, first: first / 4 },
    });
    return { call, bytes: 16 * quads };
  });
}

function packPart(
  blob: WeightBlob,
  part: WeightPart,
  parameter: PlacedParameter,
  added: readonly PlacedParameter[],
): KernelCall {
  switch (part.kind) {
    case 'product':
      return packProduct(blob, part, parameter);
    case 'winograd':
      return packWinograd(blob, part, parameter);
    case 'linear':
      return packLinear(blob, part, parameter);
    case 'vector':
      return packVector(blob, part, parameter, added);
  }
}

/** A call, and the parameter that it packs. */
export interface Packing {
  readonly parameter: PlacedParameter;
  readonly call: KernelCall;
}

type Part<K extends WeightPart['kind']> = Extract<WeightPart, { kind: K }>;

/** A parameter [rows, columns, ...taps], and its places in floats. */
interface Stored {
  readonly columns: number;
  readonly taps: number;
  /** Of the columns. */
  readonly quads: number;
  readonly per_row: number;
  readonly per_tap: number;
}

function storedAs({ shape }: PlacedParameter): Stored {
  // a vector stands there as one row
  const [, columns = 1, ...space] = shape.length === 1 ? [1, ...shape] : shape;
  const taps = sizeOf(space);
  const quads = Math.ceil(columns / 4);
  return { columns, taps, quads, per_row: taps * quads * 4, per_tap: quads * 4 };
}

function packProduct(blob: WeightBlob, part: Part<'product'>, parameter: PlacedParameter): KernelCall {
  const { outputs, inputs, taps, tile, chunk, steps, first_step, first_output, offset, layout, stored } =
    part;
  const { per_row, per_tap } = storedAs(parameter);
  const [per_output, per_input] = part.transposed ? [1, per_row] : [per_row, 1];
  invariant(
    (first_output | tile | offset) % 4 === 0,
    () => `the product of ${part.param} does not begin with a quad`,
  );
  const filled = Math.ceil(inputs / chunk) * chunk;
  const [per_chunk, tap_steps] = layout === 'rows' ? [taps, 1] : [1, filled / chunk];
  const half: Pick<CallRequest, 'hooks' | 'types'> =
    stored === 'f16'
      ? { hooks: { as_stored: ['return pack_quad(quad);'] }, types: { packed: 'array<vec2u>' } }
      : part.rounded
        ? { hooks: { as_stored: ['return round_quad(quad);'] } }
        : {};
  return callKernel({
    file: 'pack_product',
    consts: { CHUNK: chunk },
    ...half,
    declared: { parameter: { kind: 'parameter', name: parameter.name }, packed: { kind: 'packed', blob } },
    workgroups: [roundsOver(filled, tile), taps, Math.ceil(outputs / tile)],
    sizes: {
      ...{ outputs, inputs, filled, per_output, per_input, per_tap },
      ...{ tile, steps, first_step, per_chunk, tap_steps, first_output },
      first: offset / STORED_BYTES[stored],
    },
  });
}

function packWinograd(blob: WeightBlob, part: Part<'winograd'>, parameter: PlacedParameter): KernelCall {
  const { outputs, inputs, tile, chunk, plane, offset, m, transposed, rounded = false } = part;
  const { per_row, per_tap } = storedAs(parameter);
  // of a transposed convolution inputs and outputs change places, and taps come in reverse
  const strides = transposed
    ? { per_output: 1, per_input: per_row, first_tap: 8 * per_tap, per_tap: 2 ** 32 - per_tap }
    : { per_output: per_row, per_input: 1, first_tap: 0, per_tap };
  const filled_inputs = Math.ceil(inputs / chunk) * chunk;
  return callKernel({
    file: 'pack_winograd',
    hooks: {
      store_planes: planesTransform(m),
      ...(rounded ? { rounded: ['return round_quad(quad);'] } : {}),
    },
    declared: { parameter: { kind: 'parameter', name: parameter.name }, packed: { kind: 'packed', blob } },
    workgroups: [roundsOver(filled_inputs, tile), Math.ceil(outputs / tile), 1],
    sizes: {
      ...{ outputs, inputs, filled_inputs, tile },
      ...strides,
      plane: plane / 4,
      first: offset / 4,
    },
  });
}

/** Rounds of a workgroup: what divides comes once in so many. */
const ROUNDS = 8;

/** Workgroups for the inputs of a column tile; a workgroup of 64 threads takes as many at once as fill it with the tile's quads. */
function roundsOver(inputs: number, tile: number): number {
  invariant(tile <= 256, () => `a workgroup has no thread for each quad of ${tile} outputs`);
  return Math.ceil(inputs / (Math.floor(256 / tile) * ROUNDS));
}

function packLinear(blob: WeightBlob, part: Part<'linear'>, parameter: PlacedParameter): KernelCall {
  const { outputs, inputs, first_output, offset } = part;
  const { quads, per_row } = storedAs(parameter);
  invariant(!blob.texture && per_row === quads * 4, () => `${part.param} is no matrix in a buffer`);
  invariant(quads === Math.ceil(inputs / 4), () => `${part.param} has other inputs than its layer`);
  return callKernel({
    file: 'pack_linear',
    declared: { parameter: { kind: 'parameter', name: parameter.name }, packed: { kind: 'packed', blob } },
    workgroups: gridOver(outputs * quads, 4096),
    sizes: { outputs, quads, first_output, first: offset / 4 },
  });
}

function packVector(
  blob: WeightBlob,
  part: Part<'vector'>,
  parameter: PlacedParameter,
  others: readonly PlacedParameter[],
): KernelCall {
  const { length, row, offset, stored } = part;
  const { columns, taps, quads } = storedAs(parameter);
  const rows = length / columns;
  // rows of a table are filled up where they are packed as where they stand
  const asItStands = taps === 1 && offset % 4 === 0 && (row === columns || columns % 4 === 0);
  const [other, ...more] = others;
  invariant(
    asItStands && more.length === 0 && (other === undefined || rows === 1),
    () => `the vector ${part.param} is packed in another order than its own`,
  );
  const rounded = (quad: string) => (stored === 'f16' ? `round_quad(${quad})` : quad);
  const add: Pick<Fragment, 'hooks' | 'extra'> = other
    ? {
        hooks: { other: [`return ${rounded('added[at]')};`] },
        extra: [readBuffer('added', { kind: 'parameter', name: other.name })],
      }
    : { hooks: {}, extra: [] };
  return callKernel({
    file: 'pack_vector',
    hooks: { ...add.hooks, rounded: [`return ${rounded('quad')};`] },
    extra: add.extra,
    declared: { parameter: { kind: 'parameter', name: parameter.name }, packed: { kind: 'packed', blob } },
    workgroups: gridOver(rows * quads, 4096),
    sizes: { quads: rows * quads, first: offset / 4 },
  });
}
