// The runtime for a page, `unetc/runtime`: a compiled bundle and its weights, run by the browser's own WebGPU, without
// the compiler and without Node. Nothing of runtime/host/node/ is reachable from here.
//
//   const bundle = await fetchBundle('models/mnist');
//   const weights = matchWeights(bundle.manifest.parameters, await fetchWeights('models/mnist.safetensors'));
//   const device = await openWebDevice({ requires: bundle.manifest.requires });
//   const model = await createProgram(bundle, weights.read, device);
//   const process = diffusionProcess(bundle.manifest.diffusion, '50');
//   for await (const { image } of sample(model, [{ seed: 0 }], { process, sampler: { kind: 'ddim', eta: 0 } })) ...
//
// A classifier is a bundle that was compiled with its gradient: a program of it on the same device guides the model, as
// guidedModel(model, classifier), which is sampled with { classifier_scale } and a label.

export type { AdapterDescription, DeviceRequirements } from './adapter.ts';
export { adapterLine } from './adapter.ts';
export type { Bundle, Manifest } from './bundle.ts';
export { type ByteSource, bytesInMemory, type Origin } from './bytes.ts';
export { RuntimeError, type RuntimeErrorKind } from './errors.ts';
export { type GuidedModel, guidedModel } from './guided-model.ts';
export { openWebDevice, takeWebDevice, type WebDeviceOptions } from './host/web/device.ts';
export { blobWeights, type Fetch, fetchBundle, fetchWeights } from './host/web/fetch.ts';
export type { Model, ModelInputs, ModelInterface, PortValue } from './model.ts';
export type { OpenedDevice } from './opened-device.ts';
export { parseBundle } from './parse-bundle.ts';
export type { InputSpec, OutputSpec } from './ports.ts';
export { createProgram, type Program, type ReadParameter } from './program.ts';
export { type Denoiser, type DenoiserInputs, denoiserOf } from './sampler/denoiser.ts';
export { encode } from './sampler/encode.ts';
export { diffusionProcess } from './sampler/process.ts';
export type { Guidance, SampleRequest } from './sampler/request.ts';
export { type Sample, type StepReport, sample } from './sampler/sample.ts';
export type { Sampler } from './sampler/samplers/index.ts';
export type { ProgramState } from './state.ts';
export type { Tensor } from './tensor.ts';
export { openCheckpoint } from './weights/checkpoint.ts';
export { hashWeights } from './weights/hash.ts';
export { type MatchedWeights, matchWeights } from './weights/match.ts';
export { weightsInMemory } from './weights/memory.ts';
export type { TensorInfo, WeightSource } from './weights/source.ts';
