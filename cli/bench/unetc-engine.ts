// unetc itself as an engine: as `unetc run` opens a model.

import { parameters } from '../../compiler/graph/parameters.ts';
import { readModel } from '../../engine/model/model-source.ts';
import { openProgram } from '../../engine/model/open-program.ts';
import { readRunInputs, toModelInputs } from '../../engine/model/run-inputs.ts';
import { dawnVersion, packageVersion } from '../../engine/package.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import { keepHeapSmall } from '../v8.ts';
import type { Engine } from './engine.ts';
import type { EngineJob } from './protocol.ts';

/** Throws GraphError and RuntimeError. */
export async function openUnetc(job: EngineJob): Promise<Engine> {
  keepHeapSmall();
  const source = await readModel(job.model, job.settings);
  const weights = openWeights(job.weights);
  const { read } = matchWeights(parameters(source.graph), weights);
  const opened = await openProgram(source, read, job.settings, {
    note: () => undefined,
    stage: () => undefined,
  });
  weights.close();
  const { program, device, close } = opened;
  const { manifest } = program;
  const inputs = toModelInputs(readRunInputs(job.inputs), program.interface);
  return {
    version: `unetc ${packageVersion()}, Dawn of ${dawnVersion()}`,
    device: adapterLine(device.adapter),
    program: {
      target: manifest.target,
      precision: manifest.precision,
      driver: device.adapter.description,
      dispatches: manifest.dispatches.length,
      pipelines: manifest.kernels.length,
      flops: manifest.dispatches.reduce((sum, { flops }) => sum + flops, 0),
    },
    run: async () => (await program.run(inputs)).get('output')!,
    close,
  };
}
