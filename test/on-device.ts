// Runs graphs on the adapter for tests: one device and one set of pipelines a file, one call a forward pass.

import { type CompileOptions, compileGraph } from '../compiler/compile.ts';
import type { Graph } from '../compiler/graph/graph.ts';
import { HALF, TARGETS, type Target } from '../compiler/target.ts';
import type { Bundle } from '../runtime/bundle.ts';
import { inspectAdapter, openDevice } from '../runtime/host/node/dawn.ts';
import type { ModelInputs } from '../runtime/model.ts';
import type { OpenedDevice } from '../runtime/opened-device.ts';
import { createPipelineCache, type PipelineCache } from '../runtime/pipelines.ts';
import { createProgram, type Program, type ProgramSettings, type ReadParameter } from '../runtime/program.ts';
import type { Tensor } from '../runtime/tensor.ts';

interface TestDevice {
  readonly opened: OpenedDevice;
  readonly pipelines: PipelineCache;
}

let shared: Promise<TestDevice> | undefined;

function sharedDevice(): Promise<TestDevice> {
  shared ??= openShared();
  return shared;
}

/** A device with every feature that some target asks for and the adapter has. */
async function openShared(): Promise<TestDevice> {
  const { features } = await inspectAdapter();
  const asked = new Set(TARGETS.flatMap((target) => target.features));
  const requires = { features: [...asked].filter((name) => features.has(name)), limits: {} };
  const opened = await openDevice({ requires });
  return { opened, pipelines: createPipelineCache(opened.device) };
}

/** The targets whose bundles run on the device of this test file; those of `half` are `generic`'s but for float16 ones. */
export async function testTargets(): Promise<readonly Target[]> {
  const { opened } = await sharedDevice();
  const offered = TARGETS.filter((target) => target.features.every((name) => opened.features.has(name)));
  return offered.filter((target) => target !== HALF);
}

/** The device of this test file, opened at its first use. */
export async function testDevice(): Promise<OpenedDevice> {
  return (await sharedDevice()).opened;
}

/** A program on the file's device, with the pipelines that programs before it compiled. */
export async function openProgram(
  bundle: Bundle,
  read: ReadParameter,
  settings: Omit<ProgramSettings, 'cache'> = {},
): Promise<Program> {
  const { opened, pipelines } = await sharedDevice();
  return createProgram(bundle, read, opened, { ...settings, cache: pipelines });
}

/** Runs a bundle once and releases it. */
export async function runBundle(
  bundle: Bundle,
  read: ReadParameter,
  inputs: ModelInputs,
): Promise<ReadonlyMap<string, Tensor>> {
  const program = await openProgram(bundle, read);
  try {
    return await program.run(inputs);
  } finally {
    program.close();
  }
}

/** Compiles a graph, runs it once and releases it. */
export function runOnDevice(
  graph: Graph,
  options: CompileOptions,
  read: ReadParameter,
  inputs: ModelInputs,
): Promise<ReadonlyMap<string, Tensor>> {
  return runBundle(compileGraph(graph, options).bundle, read, inputs);
}

/** Relative L2 error of `found` against `expected`. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length)
    throw new Error(`${found.length} values, expected ${expected.length}`);
  let [difference, norm] = [0, 0];
  for (let i = 0; i < found.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}
