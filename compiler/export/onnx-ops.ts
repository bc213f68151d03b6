// Each op spelled in operators of ONNX opset 17, one row an op.
//
// Where an op's result is float16 its arithmetic is still float32 and rounded once at the end, as our kernels do it;
// only convolutions are left to the engine's own float16.
//
// The first dimension of every value that depends on an input is the batch. Where a call of the model decides it, no constant
// has it: shapes leave that dimension open.

import { InternalError } from '../diagnostics.ts';
import type { NodeOf } from '../opgraph/opgraph.ts';
import { paddingOf } from '../ops/conv.ts';
import type { DType, OpName, Shape, TensorType } from '../ops/op.ts';
import { float, int, ints, type OnnxBuilder, onnxType, text } from './onnx-builder.ts';
import { embedTimesteps } from './onnx-timesteps.ts';

/** An operand: its name in the ONNX graph and its type. */
export interface OnnxValue {
  readonly name: string;
  readonly type: TensorType;
}

type Lowering<N extends OpName> = (b: OnnxBuilder, node: NodeOf<N>, operands: readonly OnnxValue[]) => string;

/** The ops that are computed; inputs and parameters are declared by the exporter. */
type ComputedOp = Exclude<OpName, 'input' | 'param'>;

export const ONNX_OPS = {
  timestep_embedding: timestepEmbedding,
  linear: inFloat((b, { path }, operands) => b.node(path, 'Gemm', names(operands), [int('transB', 1)])),
  embedding: (b, { path }, [table, indices]) =>
    b.node(path, 'Gather', [table!.name, indices!.name], [int('axis', 0)]),
  silu: inFloat((b, { path }, [x]) => {
    const gate = b.node(path, 'Sigmoid', [x!.name]);
    return b.node(path, 'Mul', [x!.name, gate]);
  }),
  relu: inFloat((b, { path }, [x]) => b.node(path, 'Relu', [x!.name])),
  gelu: inFloat((b, { path }, [x]) => {
    const erf = b.node(path, 'Erf', [b.node(path, 'Mul', [x!.name, b.float([], [Math.SQRT1_2])])]);
    const share = b.node(path, 'Add', [erf, b.float([], [1])]);
    return b.node(path, 'Mul', [b.node(path, 'Mul', [x!.name, b.float([], [0.5])]), share]);
  }),
  mish: inFloat((b, { path }, [x]) => {
    const gate = b.node(path, 'Tanh', [b.node(path, 'Softplus', [x!.name])]);
    return b.node(path, 'Mul', [x!.name, gate]);
  }),
  embedding_gradient: forwardOnly,
  add: (b, { path }, [x, y]) => b.node(path, 'Add', [x!.name, y!.name]),
  multiply: inFloat((b, { path }, [x, y]) => b.node(path, 'Mul', [x!.name, y!.name])),
  scale: inFloat((b, { path, attrs }, [x]) => b.node(path, 'Mul', [x!.name, b.float([], [attrs.factor])])),
  rescale: inFloat((b, { path, attrs }, [x]) => {
    const scaled = b.node(path, 'Mul', [x!.name, b.float([], [attrs.factor])]);
    return b.node(path, 'Add', [scaled, b.float([], [attrs.offset])]);
  }),
  activation_gradient: forwardOnly,
  channel_add: inFloat((b, { path }, [x, e]) => {
    const spread = reshapeRows(b, path, e!.name, perChannel(x!.type.shape));
    return b.node(path, 'Add', [x!.name, spread]);
  }),
  film: inFloat((b, { path }, [x, e]) => {
    const channels = x!.type.shape[1]!;
    const [scale, shift] = b.nodes(
      path,
      'Split',
      [e!.name, b.int64([channels, channels])],
      ['scale', 'shift'],
      [int('axis', 1)],
    );
    const factor = b.node(path, 'Add', [scale!, b.float([], [1])]);
    const shape = perChannel(x!.type.shape);
    const scaled = b.node(path, 'Mul', [x!.name, reshapeRows(b, path, factor, shape)]);
    return b.node(path, 'Add', [scaled, reshapeRows(b, path, shift!, shape)]);
  }),
  film_gradient: forwardOnly,
  scale_shift_gradient: forwardOnly,
  channel_sum: forwardOnly,
  batch_sum: forwardOnly,
  position_add: inFloat((b, { path }, [x, p]) => b.node(path, 'Add', [x!.name, p!.name])),
  dropout_mask: forwardOnly,
  apply_mask: forwardOnly,
  dropout: (b, { path, attrs }, [x]) => b.node(path, 'Dropout', [x!.name, b.float([], [attrs.p])]),
  concat: (b, { path }, operands) => b.node(path, 'Concat', names(operands), [int('axis', 1)]),
  slice: (b, { path, attrs }, [x]) =>
    b.node(path, 'Slice', [x!.name, b.int64([attrs.start]), b.int64([attrs.end]), b.int64([1])]),
  window: inFloat(window),
  param_concat: (b, { path }, operands) => b.node(path, 'Concat', names(operands), [int('axis', 0)]),
  rows: forwardOnly,
  conv: (b, node, operands) => convolution(b, 'Conv', node, operands),
  conv_transpose: (b, node, operands) => convolution(b, 'ConvTranspose', node, operands),
  conv_weight_gradient: forwardOnly,
  group_norm: inFloat(groupNorm),
  group_norm_gradient: forwardOnly,
  group_norm_sums: forwardOnly,
  avg_pool: inFloat((b, { path, attrs }, [x]) =>
    b.node(
      path,
      'AveragePool',
      [x!.name],
      [ints('kernel_shape', attrs.kernel), ints('strides', attrs.kernel)],
    ),
  ),
  upsample_nearest: (b, { path, attrs }, [x]) =>
    b.node(
      path,
      'Resize',
      [x!.name, '', b.float([attrs.factor.length + 2], [1, 1, ...attrs.factor])],
      [
        text('mode', 'nearest'),
        text('coordinate_transformation_mode', 'asymmetric'),
        text('nearest_mode', 'floor'),
      ],
    ),
  upsample_linear: inFloat((b, { path, type }, [x]) =>
    b.node(
      path,
      'Resize',
      [x!.name, '', '', sizes(b, path, x!.name, type.shape)],
      [text('mode', 'linear'), text('coordinate_transformation_mode', 'half_pixel')],
    ),
  ),
  attention: inFloat(attention),
  attention_gradient: forwardOnly,
  log_softmax_gradient: forwardOnly,
  mix: forwardOnly,
  cross_entropy: forwardOnly,
  cross_entropy_gradient: forwardOnly,
  top_k: forwardOnly,
  mse: forwardOnly,
  mse_gradient: forwardOnly,
  variational_bound: forwardOnly,
  variational_bound_gradient: forwardOnly,
  reshape: (b, { path, attrs }, [x]) => reshapeRows(b, path, x!.name, attrs.shape),
  cast: (b, { path, attrs }, [x]) => castTo(b, path, x!, attrs.dtype).name,
} as const satisfies { readonly [N in ComputedOp]: Lowering<N> };

/** Appends the operators of one node and returns the name of its value. */
export function lowerToOnnx<N extends ComputedOp>(
  b: OnnxBuilder,
  node: NodeOf<N>,
  operands: readonly OnnxValue[],
): string {
  const table: { readonly [M in ComputedOp]: Lowering<M> } = ONNX_OPS;
  return table[node.op](b, node, operands);
}

function names(operands: readonly OnnxValue[]): string[] {
  return operands.map((o) => o.name);
}

function reshape(b: OnnxBuilder, path: string, name: string, shape: Shape): string {
  return b.node(path, 'Reshape', [name, b.int64(shape)]);
}

/** The same to a shape whose first dimension is the batch, or as many rows for each image of it. */
function reshapeRows(b: OnnxBuilder, path: string, name: string, shape: Shape): string {
  return reshape(b, path, name, b.anyBatch ? [-1, ...shape.slice(1)] : shape);
}

/** The sizes of a value of a shape, as an operand: those of an input `name`, whose batch it has. */
function sizes(b: OnnxBuilder, path: string, name: string, shape: Shape): string {
  if (!b.anyBatch) return b.int64(shape);
  const [zero, one] = [b.int64([0]), b.int64([1])];
  const batch = b.node(path, 'Slice', [b.node(path, 'Shape', [name]), zero, one]);
  return b.node(path, 'Concat', [batch, b.int64(shape.slice(1))], [int('axis', 0)]);
}

/** The shape in which a [B, C] or [C] value meets activations [B, C, ...space]. */
function perChannel(shape: Shape, batch = shape[0]!): Shape {
  return [batch, shape[1]!, ...shape.slice(2).map(() => 1)];
}

function castTo(b: OnnxBuilder, path: string, value: OnnxValue, dtype: DType): OnnxValue {
  if (value.type.dtype === dtype) return value;
  const name = b.node(path, 'Cast', [value.name], [int('to', onnxType(dtype))]);
  return { name, type: { dtype, shape: value.type.shape } };
}

/** A lowering whose operands and result are float32, with casts around it where the node's are float16. */
function inFloat<N extends OpName>(lowering: Lowering<N>): Lowering<N> {
  return (b, node, operands) => {
    const widened = operands.map((o) => castTo(b, node.path, o, 'f32'));
    const name = lowering(b, node, widened);
    return castTo(b, node.path, { name, type: { dtype: 'f32', shape: node.type.shape } }, node.type.dtype)
      .name;
  };
}

/** Gradients have no spelling: a model is exported as its forward pass. */
function forwardOnly(_: OnnxBuilder, { op, path }: NodeOf<ComputedOp>): never {
  throw new InternalError(`${op} (${path}) has no spelling in ONNX: exports have no gradients`);
}

/** What lies inside x, cut out, with zeros put around it. */
function window(b: OnnxBuilder, { path, attrs }: NodeOf<'window'>, [x]: readonly OnnxValue[]): string {
  const { start, size } = attrs;
  const extent = x!.type.shape.slice(1);
  const ends = start.map((at, d) => at + size[d]!);
  const inside = b.node(path, 'Slice', [
    x!.name,
    b.int64(start.map((at) => Math.max(at, 0))),
    b.int64(ends.map((end, d) => Math.min(end, extent[d]!))),
    b.int64(start.map((_, d) => d + 1)),
  ]);
  const before = start.map((at) => Math.max(-at, 0));
  const after = ends.map((end, d) => Math.max(end - extent[d]!, 0));
  return b.node(path, 'Pad', [inside, b.int64([0, ...before, 0, ...after])]);
}

/** Both convolutions take the same attributes; ONNX lists padding at the begin of every dimension, then at the end. */
function convolution(
  b: OnnxBuilder,
  opType: 'Conv' | 'ConvTranspose',
  { path, attrs, type }: NodeOf<'conv'> | NodeOf<'conv_transpose'>,
  operands: readonly OnnxValue[],
): string {
  const alike = operands.map((o) => castTo(b, path, o, type.dtype));
  return b.node(path, opType, names(alike), [
    ints('kernel_shape', operands[1]!.type.shape.slice(2)),
    ints('strides', attrs.stride),
    ints('pads', [...paddingOf(attrs).begin, ...paddingOf(attrs).end]),
    ...('output_padding' in attrs ? [ints('output_padding', attrs.output_padding)] : []),
  ]);
}

/** Computed in float32 whatever the result is: float16 has no angles. */
function timestepEmbedding(
  b: OnnxBuilder,
  { path, attrs, type }: NodeOf<'timestep_embedding'>,
  [timesteps]: readonly OnnxValue[],
): string {
  const shape = [type.shape[0]!, attrs.dim];
  const column = reshapeRows(b, path, castTo(b, path, timesteps!, 'f32').name, [shape[0]!, 1]);
  const name = embedTimesteps(b, { path, attrs }, column);
  return castTo(b, path, { name, type: { dtype: 'f32', shape } }, type.dtype).name;
}

/** InstanceNormalization over [B, groups, rest] takes the moments; the affine part is per channel. */
function groupNorm(
  b: OnnxBuilder,
  { path, attrs, type }: NodeOf<'group_norm'>,
  [x, weight, bias]: readonly OnnxValue[],
): string {
  const { groups, eps } = attrs;
  // a zero keeps the dimension of what is reshaped
  const grouped = reshape(b, path, x!.name, [b.anyBatch ? 0 : type.shape[0]!, groups, -1]);
  const one = b.float([groups], Array<number>(groups).fill(1));
  const zero = b.float([groups], Array<number>(groups).fill(0));
  const normed = b.node(path, 'InstanceNormalization', [grouped, one, zero], [float('epsilon', eps)]);
  const restored = reshapeRows(b, path, normed, type.shape);
  const shape = perChannel(type.shape, 1);
  const scaled = b.node(path, 'Mul', [restored, reshape(b, path, weight!.name, shape)]);
  return b.node(path, 'Add', [scaled, reshape(b, path, bias!.name, shape)]);
}

/** softmax over keys of kᵀq as [keys, queries], so that v times it needs no transposition. */
function attention(
  b: OnnxBuilder,
  { path, attrs, type }: NodeOf<'attention'>,
  [qkv]: readonly OnnxValue[],
): string {
  const [batch, channels, positions] = [type.shape[0]!, type.shape[1]!, type.shape[2]!];
  const width = channels / attrs.heads;
  const perHead = (name: string, channels: number) =>
    reshapeRows(b, path, name, [batch * attrs.heads, channels, positions]);
  const split = (name: string, size: number) =>
    b.nodes(path, 'Split', [name, b.int64([size, size, size])], ['q', 'k', 'v'], [int('axis', 1)]);
  const [q, k, v] =
    attrs.order === 'heads_first'
      ? split(perHead(qkv!.name, 3 * width), width)
      : split(qkv!.name, channels).map((part) => perHead(part, width));
  const scale = b.float([], [1 / Math.sqrt(Math.sqrt(width))]);
  const queries = b.node(path, 'Mul', [q!, scale]);
  const keys = b.node(path, 'Mul', [k!, scale]);
  const transposed = b.node(path, 'Transpose', [keys], [ints('perm', [0, 2, 1])]);
  const scores = b.node(path, 'MatMul', [transposed, queries]);
  const weights = b.node(path, 'Softmax', [scores], [int('axis', 1)]);
  return reshapeRows(b, path, b.node(path, 'MatMul', [v!, weights]), type.shape);
}
