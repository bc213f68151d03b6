// ONNX Runtime as an engine: its CPU, WebGPU and WebAssembly providers on the exported model, where they are installed.

import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cwd } from 'node:process';
import { pathToFileURL } from 'node:url';
import { readRunInputs } from '../../engine/model/run-inputs.ts';
import { packageRoot } from '../../engine/package.ts';
import { type Engine, EngineAbsent } from './engine.ts';
import type { EngineJob, Peer, TorchPeer } from './protocol.ts';

type OnnxPeer = Exclude<Peer, TorchPeer>;

const PROVIDERS = {
  'ort-cpu': { package: 'onnxruntime-node', provider: 'cpu' },
  'ort-webgpu': { package: 'onnxruntime-node', provider: 'webgpu' },
  'ort-wasm': { package: 'onnxruntime-web', provider: 'wasm' },
} as const satisfies Record<OnnxPeer, object>;

/** What is used of either package. */
interface OnnxRuntime {
  readonly InferenceSession: {
    create(file: string | Uint8Array, options: object): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OnnxTensor;
  readonly env: {
    readonly wasm: { numThreads?: number };
    readonly versions: { readonly common: string };
  };
  listSupportedBackends?(): readonly { readonly name: string }[];
}

interface OnnxSession {
  readonly inputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

interface OnnxTensor {
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** Throws EngineAbsent where the package is not installed or has no such provider here. */
export async function openOnnx(engine: OnnxPeer, job: EngineJob): Promise<Engine> {
  const { package: name, provider } = PROVIDERS[engine];
  const ort = await load(name);
  const version = ort.env.versions.common;
  const offered = ort.listSupportedBackends?.().map((backend) => backend.name);
  if (offered && !offered.includes(provider)) {
    throw new EngineAbsent(`${name} ${version} has no ${provider} provider on this platform`);
  }
  if (provider === 'wasm') ort.env.wasm.numThreads = job.threads;
  const session = await ort.InferenceSession.create(job.onnx!, {
    executionProviders: [provider],
    intraOpNumThreads: job.threads,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  const { tensors } = readRunInputs(job.inputs);
  const feeds = Object.fromEntries(
    session.inputNames.map((input) => {
      const { shape, data } = tensors.get(input)!;
      return [input, new ort.Tensor(data instanceof BigInt64Array ? 'int64' : 'float32', data, shape)];
    }),
  );
  const threads = `${job.threads} ${job.threads === 1 ? 'thread' : 'threads'}`;
  return {
    version: `${name} ${version}`,
    device: provider === 'webgpu' ? 'its WebGPU adapter' : `${cpus()[0]?.model.trim() ?? 'CPU'}, ${threads}`,
    async run() {
      const { dims, data } = (await session.run(feeds)).output!;
      return { shape: dims, data: data as Float32Array };
    },
    close: () => session.release(),
  };
}

/** The package beside unetc, or else in the project that the command is called in. */
async function load(name: string): Promise<OnnxRuntime> {
  for (const folder of [packageRoot(), cwd()]) {
    const from = createRequire(join(folder, 'package.json'));
    let entry: string;
    try {
      entry = from.resolve(name);
    } catch {
      continue;
    }
    const module: { readonly default?: OnnxRuntime } & OnnxRuntime = await import(pathToFileURL(entry).href);
    return module.default ?? module;
  }
  throw new EngineAbsent(`${name} is not installed (npm install --no-save ${name})`);
}
