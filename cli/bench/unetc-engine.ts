// unetc itself as an engine: as `unetc run` opens a model.

import { parameters } from '../../compiler/graph/parameters.ts';
import { readModel } from '../../engine/model/model-source.ts';
import { openProgram } from '../../engine/model/open-program.ts';
import { readRunInputs, toModelInputs } from '../../engine/model/run-inputs.ts';
import { dawnVersion, packageVersion } from '../../engine/package.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import type { Manifest } from '../../runtime/bundle.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import type { OpenedDevice } from '../../runtime/opened-device.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { keepHeapSmall } from '../v8.ts';
import type { Engine } from './engine.ts';
import type { EngineJob, ProgramFacts } from './protocol.ts';

/** Nobody reads what an engine's process says on the way. */
export const SILENT = { note: () => undefined, stage: () => undefined };

export function versionLine(): string {
  return `unetc ${packageVersion()}, Dawn of ${dawnVersion()}`;
}

/** What was compiled, and the driver that it runs on. */
export function factsOf(manifest: Manifest, { adapter }: Pick<OpenedDevice, 'adapter'>): ProgramFacts {
  return {
    target: manifest.target,
    precision: manifest.precision,
    driver: adapter.description,
    dispatches: manifest.dispatches.length,
    pipelines: manifest.kernels.length,
    flops: manifest.dispatches.reduce((sum, { flops }) => sum + flops, 0),
  };
}

/** Throws GraphError and RuntimeError. */
export async function openUnetc(job: EngineJob): Promise<Engine> {
  keepHeapSmall();
  const source = await readModel(job.model, job.settings);
  const weights = openWeights(job.weights);
  const { read } = matchWeights(parameters(source.graph), weights);
  const opened = await openProgram(source, read, job.settings, SILENT);
  weights.close();
  const { program, device, close } = opened;
  const inputs = toModelInputs(readRunInputs(job.inputs), program.interface);
  return {
    version: versionLine(),
    device: adapterLine(device.adapter),
    program: factsOf(program.manifest, device),
    run: async () => (await program.run(inputs)).get('output')!,
    close,
  };
}
