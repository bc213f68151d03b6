// Compiles and runs a graph of ops that belongs to no model: for tests of one kernel or one fusion at a time.

import { generateBundle } from '../compiler/codegen/bundle.ts';
import { emitCalls } from '../compiler/codegen/emit.ts';
import { loadGraph } from '../compiler/graph/load.ts';
import { planMemory } from '../compiler/memory/plan.ts';
import { verifyMemory } from '../compiler/memory/verify.ts';
import { createOpGraphBuilder, type OpGraphBuilder } from '../compiler/opgraph/build.ts';
import type { OpGraph } from '../compiler/opgraph/opgraph.ts';
import type { ParamReader } from '../compiler/opgraph/reference.ts';
import { verifyOpGraph } from '../compiler/opgraph/verify.ts';
import type { Shape } from '../compiler/ops/op.ts';
import { buildSchedule } from '../compiler/schedule/build.ts';
import { verifySchedule } from '../compiler/schedule/verify.ts';
import { GENERIC, type Target } from '../compiler/target.ts';
import type { Bundle } from '../runtime/bundle.ts';
import type { ModelInputs } from '../runtime/model.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { hashTensor } from '../runtime/weights/hash.ts';
import { inputsOf } from './fixtures/model-values.ts';
import { runBundle } from './on-device.ts';

/** What a test writes an op with: the builder, the inputs of a model, and parameters by name. */
export interface OpsBuilder extends OpGraphBuilder {
  /** x [B, C, ...space]. */
  readonly x: number;
  /** A row of sines for each sample, [B, dim]. */
  embed(dim: number): number;
  /** Labels [B]. */
  labels(): number;
  /** A second image with the channels of x. */
  image(space: Shape): number;
  param(name: string, shape: Shape): number;
  /** `name.weight` of a shape and `name.bias` of its first size, as operands. */
  weights(name: string, shape: Shape, outputs?: number): readonly [number, number];
}

/** A graph over x of a shape; `body` gives the value of `output`. */
export function opsOver(shape: Shape, body: (b: OpsBuilder) => number): OpGraph {
  const b = createOpGraphBuilder();
  const batch = shape[0]!;
  const x = b.add('input', [], { name: 'x', type: { dtype: 'f32', shape } }, 'x');
  const t = b.add('input', [], { name: 'timesteps', type: { dtype: 'f32', shape: [batch] } }, 'timesteps');
  const embed = (dim: number) =>
    b.add('timestep_embedding', [t], { dim, max_period: 10000, order: 'cos_sin', shift: 0 }, 'time_embed');
  const param = (name: string, of: Shape) => b.add('param', [], { name, shape: of }, 'weights');
  let rows: number | undefined;
  const output = body({
    ...b,
    x,
    param,
    embed: (dim) => {
      rows = embed(dim);
      return rows;
    },
    labels: () => b.add('input', [], { name: 'y', type: { dtype: 'u32', shape: [batch] } }, 'y'),
    image: (space) =>
      b.add(
        'input',
        [],
        { name: 'low_res', type: { dtype: 'f32', shape: [batch, shape[1]!, ...space] } },
        'low_res',
      ),
    weights: (name, of, outputs = of[0]!) => [param(`${name}.weight`, of), param(`${name}.bias`, [outputs])],
  });
  if (rows === undefined) embed(4); // every model has one
  return b.finish([{ name: 'output', value: output }]);
}

export interface OpsOptions {
  /** False leaves every op a dispatch of its own. */
  readonly fuse?: boolean;
  readonly target?: Target;
  /** Only algorithms that are as exact as the plain ones. */
  readonly strict?: boolean;
  readonly inputs?: ModelInputs;
  readonly read?: ParamReader;
}

/** The bundle of a graph of ops, every stage verified. Its `graph` is that of another, tiny model. */
export function compileOps(ops: OpGraph, options: OpsOptions = {}): Bundle {
  const { fuse = true, target = GENERIC, strict = false } = options;
  verifyOpGraph(ops);
  const schedule = buildSchedule(ops, target, fuse ? undefined : [], { strict });
  verifySchedule(schedule);
  const memory = planMemory(schedule);
  verifyMemory(memory);
  const batch = ops.nodes.find((n) => n.op === 'input')!.type.shape[0]!;
  const bundle = generateBundle(anyGraph(), schedule, emitCalls(schedule, target), memory, {
    place: { label: 'ops' },
    compiler: { version: '', price: 0, tuning: null },
    target,
    batch,
    precision: ops.nodes.some(({ type }) => type.dtype === 'f16') ? 'f16' : 'f32',
    taps: false,
    strict,
    pass: 'forward',
  });
  return { ...bundle, manifest: { ...bundle.manifest, parameters: paramsOf(ops) } };
}

/** Runs a graph of ops on the device of the test file, with the inputs and `hash:SEED` weights of the seed. */
export function runOps(
  ops: OpGraph,
  seed: number,
  options: OpsOptions = {},
): Promise<ReadonlyMap<string, Tensor>> {
  const { read = (name, shape) => hashTensor(name, shape, seed) } = options;
  const shapes = new Map(paramsOf(ops).map((p) => [p.name, p.shape]));
  return runBundle(
    compileOps(ops, options),
    (name) => read(name, shapes.get(name)!),
    options.inputs ?? inputsOf(ops, seed),
  );
}

function paramsOf(ops: OpGraph) {
  return ops.nodes.flatMap((node) => (node.op === 'param' ? [node.attrs] : []));
}

/** Labels of the cases are below its number of classes. */
function anyGraph() {
  const unet = {
    in_channels: 1,
    out_channels: 1,
    model_channels: 32,
    num_res_blocks: 1,
    attention_resolutions: [],
    channel_mult: [1],
    num_classes: 1000,
  };
  return loadGraph(JSON.stringify({ version: 1, name: 'ops', image_size: 4, unet }), 'ops').graph;
}
