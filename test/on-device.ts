// Runs graphs on the adapter for tests: one device a file, one call a forward pass.

import { type CompileOptions, compileGraph } from '../compiler/compile.ts';
import type { Graph } from '../compiler/graph/graph.ts';
import { openDevice } from '../runtime/device.ts';
import type { ModelInputs } from '../runtime/model.ts';
import type { OpenedDevice } from '../runtime/opened-device.ts';
import { createProgram, type ReadParameter } from '../runtime/program.ts';
import type { Tensor } from '../runtime/tensor.ts';

let opened: Promise<OpenedDevice> | undefined;

/** The device of this test file, opened at its first use. */
export function testDevice(): Promise<OpenedDevice> {
  opened ??= openDevice({ requires: { features: [], limits: {} } });
  return opened;
}

/** Compiles a graph, runs it once and releases it. */
export async function runOnDevice(
  graph: Graph,
  options: CompileOptions,
  read: ReadParameter,
  inputs: ModelInputs,
): Promise<ReadonlyMap<string, Tensor>> {
  const { bundle } = compileGraph(graph, options);
  const program = await createProgram(bundle, read, await testDevice());
  try {
    return await program.run(inputs);
  } finally {
    program.close();
  }
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
