// The runtime for any host with WebGPU, `unetc/runtime`: a compiled bundle and its weights, run without the compiler and
// without Node. Nothing of runtime/host/node/ is reachable from here.
//
//   await using model = await openModel({ bundle: 'models/mnist', weights: 'models/mnist.safetensors' });
//   for await (const { image } of model.sample([{ seed: 0, label: 3 }], { steps: 'ddim50' })) ...
//
// Below `openModel` lie the parts that it is made of, for those who put them together otherwise.

export type { AdapterDescription, DeviceRequirements } from './adapter.ts';
export { adapterLine } from './adapter.ts';
export type { Bundle, Manifest } from './bundle.ts';
export { type ByteSource, bytesInMemory, type Origin } from './bytes.ts';
export type { EncodeInput, EncodeOptions, SampleOptions } from './call-options.ts';
export { RuntimeError, type RuntimeErrorKind } from './errors.ts';
export { type GuidedModel, guidedModel } from './guided-model.ts';
export type { Answer, Fetch } from './host/web/answer.ts';
export { openWebDevice, takeWebDevice, type WebDeviceOptions } from './host/web/device.ts';
export { blobWeights, fetchBundle, fetchWeights } from './host/web/fetch.ts';
export type { AnswerCache, CacheChoice } from './host/web/kept.ts';
export { type OpenedModel, openModel } from './host/web/open-model.ts';
export type { ModelFiles, OpenModelOptions, OpenProgress } from './host/web/open-options.ts';
export type { BundleSource, FileContent } from './host/web/read-bundle.ts';
export type { WeightsFile, WeightsSource } from './host/web/read-weights.ts';
export type { DownloadProgress } from './host/web/tally.ts';
export { encodePng } from './image/encode-png.ts';
export { fromPixels, type Pixels, toPixels } from './image/pixels.ts';
export type { Latent, LoadedModel, ModelOutputs } from './loaded-model.ts';
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
export { UsageError } from './usage-error.ts';
export { openCheckpoint } from './weights/checkpoint.ts';
export { hashWeights } from './weights/hash.ts';
export { type MatchedWeights, matchWeights } from './weights/match.ts';
export { weightsInMemory } from './weights/memory.ts';
export { writeTensors } from './weights/safetensors-write.ts';
export type { TensorInfo, WeightSource } from './weights/source.ts';
