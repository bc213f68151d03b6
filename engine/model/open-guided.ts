// Opens a model to be sampled, with the classifier that guides it where there is one: two graphs or bundles with their
// weights, on one device.

import { parameters } from '../../compiler/graph/parameters.ts';
import type { Precision } from '../../compiler/precision.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import { findBadKernel } from '../../runtime/bad-kernel.ts';
import { type Bundle, memoryOf } from '../../runtime/bundle.ts';
import { guidedModel, guidedParts } from '../../runtime/guided-model.ts';
import { type GuidedNames, guidedInterface } from '../../runtime/sampler/classifier.ts';
import { type MatchedWeights, matchWeights } from '../../runtime/weights/match.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import { checkMemory } from '../compile/memory-limit.ts';
import { givesGradient, type ModelSettings } from '../compile/model-settings.ts';
import { type Host, warnAll } from '../host.ts';
import { diffusionNotes } from './guided-diffusion-notes.ts';
import { interfaceOf, type ModelSource, readModel } from './model-source.ts';
import {
  batchOf,
  hashesOf,
  type ModelOptions,
  type OpenedModel,
  type OpenOptions,
  openModel,
  openReference,
} from './open-model.ts';
import { bundleOf, isVerified, type OpenHost, openPrograms } from './open-program.ts';

/** A classifier: a graph file or the folder of a bundle, and how it is opened where that differs from its model. */
export interface ClassifierOptions
  extends Pick<ModelOptions, 'weights' | 'allowUnexpected' | 'renameMap' | 'precision'> {
  readonly model: string;
}

/** How a model is opened with the classifier that guides it, where there is one. */
export interface GuidedModelOptions extends ModelOptions {
  readonly classifier?: ClassifierOptions | undefined;
}

export interface GuidedOptions extends GuidedModelOptions, Pick<OpenOptions, 'check'> {}

/** As `openModel`, with the classifier that is named. Faults of the classifier come behind those of the model. */
export async function openGuidedModel(
  path: string,
  { classifier, ...options }: GuidedOptions,
  host: Host,
): Promise<OpenedModel> {
  if (classifier === undefined) return openModel(path, options, host);
  const source = await readModel(path, options);
  const { size, batch } = options;
  const { trust } = options;
  const beside = await readModel(classifier.model, { size, batch, precision: classifier.precision, trust });
  for (const one of [source, beside]) if (one.kind === 'graph') warnAll(host, one.warnings, one.label);
  const weights = await openRenamed(options.weights, options.renameMap, source.graph);
  const others = await openRenamed(classifier.weights, classifier.renameMap, beside.graph).catch((error) => {
    weights.close();
    throw error;
  });
  const guide = { ...classifier, source: beside, weights: others };
  return openGuidedSource(source, weights, guide, options, host);
}

/** A classifier that was read, with weights that opening takes over and closes. */
export interface ReadClassifier extends Pick<ClassifierOptions, 'allowUnexpected' | 'precision'> {
  readonly source: ModelSource;
  readonly weights: WeightSource;
}

/** Opens a model and its classifier that were read. */
export async function openGuidedSource(
  source: ModelSource,
  weights: WeightSource,
  classifier: ReadClassifier,
  options: OpenOptions,
  host: OpenHost,
): Promise<OpenedModel> {
  const closeWeights = () => {
    weights.close();
    classifier.weights.close();
  };
  try {
    const matched = matchNoted(source, weights, options, host);
    const matchedToo = matchNoted(classifier.source, classifier.weights, classifier, host);
    const pair = pairOf(source, matched, classifier, matchedToo, options);
    for (const note of diffusionNotes(source, classifier.source)) host.note(note);
    await options.check?.(pair.face, source.graph);
    if (options.reference) return openOnReference(pair, weights, classifier.weights);
    const opened = await openOnDevice(pair, options, host);
    closeWeights();
    return opened;
  } catch (error) {
    closeWeights();
    throw error;
  }
}

function matchNoted(
  source: ModelSource,
  weights: WeightSource,
  options: Pick<ModelOptions, 'allowUnexpected'>,
  host: OpenHost,
): MatchedWeights {
  if (source.kind === 'bundle' && source.note !== null) host.note(source.note);
  const matched = matchWeights(parameters(source.graph), weights, options);
  for (const note of matched.notes) host.note(`${weights.label}: ${note}`);
  return matched;
}

/** One of the two, with what it is compiled with. */
interface Part {
  readonly source: ModelSource;
  readonly matched: MatchedWeights;
  readonly settings: ModelSettings;
}

interface Pair {
  readonly model: Part;
  readonly classifier: Part;
  readonly names: GuidedNames;
  /** What both together take and give. */
  readonly face: ReturnType<typeof guidedInterface>;
}

/** Throws RuntimeError('input') where the two do not go together. */
function pairOf(
  source: ModelSource,
  matched: MatchedWeights,
  classifier: ReadClassifier,
  matchedToo: MatchedWeights,
  options: OpenOptions,
): Pair {
  // a bundle has its batch, and a graph beside it takes that
  const either = [source, classifier.source].find(({ kind }) => kind === 'bundle') ?? source;
  const batch = batchOf(either, options);
  const { strict, target, tuning, precision, for: purpose } = options;
  const isDifferentiable = classifier.source.graph.pool !== null;
  const gradient =
    classifier.source.kind === 'bundle' ? givesGradient(classifier.source.bundle.manifest) : isDifferentiable;
  const model: Part = { source, matched, settings: { ...options, batch } };
  const guide: Part = {
    source: classifier.source,
    matched: matchedToo,
    settings: {
      ...{ strict, target, tuning, batch, gradient, for: purpose },
      precision: classifier.precision ?? precision,
    },
  };
  const names = { model: source.label, classifier: classifier.source.label };
  const face = guidedInterface(
    interfaceOf(source.graph, batchOf(source, { batch })),
    interfaceOf(classifier.source.graph, batchOf(classifier.source, { batch }), { gradient }),
    names,
  );
  return { model, classifier: guide, names, face };
}

function openOnReference(
  { model, classifier, names }: Pair,
  weights: WeightSource,
  others: WeightSource,
): OpenedModel {
  const opened = openReference(model.source, weights, model.matched, model.settings);
  const beside = openReference(classifier.source, others, classifier.matched, classifier.settings);
  return {
    ...opened,
    model: guidedModel(opened.model, beside.model, names),
    hashes: withClassifier(opened.hashes, beside.hashes),
    precision: eitherHalf(opened.precision, beside.precision),
    async close() {
      await opened.close();
      await beside.close();
    },
  };
}

async function openOnDevice(
  { model, classifier, names }: Pair,
  options: OpenOptions,
  host: OpenHost,
): Promise<OpenedModel> {
  const bundles = await compileBoth(model, classifier, options.memory);
  const parts = [
    { bundle: bundles.model, read: model.matched.read, verified: isVerified(model.source) },
    { bundle: bundles.classifier, read: classifier.matched.read, verified: isVerified(classifier.source) },
  ];
  const { programs, device, close } = await openPrograms(parts, options, host);
  const [program, guide] = programs as readonly [(typeof programs)[0], (typeof programs)[0]];
  const guided = guidedModel(program, guide, names);
  return {
    model: guided,
    hashes: withClassifier(
      hashesOf(model.source.graph, program.manifest),
      hashesOf(classifier.source.graph, guide.manifest),
    ),
    graph: { name: program.manifest.name, diffusion: program.manifest.diffusion },
    adapter: adapterLine(device.adapter),
    precision: eitherHalf(program.manifest.precision, guide.manifest.precision),
    async findBadKernel(inputs) {
      const { own, theirs } = guidedParts(inputs);
      const found = await findBadKernel(program, own);
      if (found !== null || theirs === null) return found;
      const beside = await findBadKernel(guide, theirs);
      return beside && { ...beside, told: `of the classifier ${names.classifier}: ${beside.told}` };
    },
    async close() {
      guided.close();
      await close();
    },
  };
}

function eitherHalf(own: Precision, theirs: Precision): Precision {
  return own === 'f16' ? own : theirs;
}

function withClassifier(own: OpenedModel['hashes'], theirs: OpenedModel['hashes']): OpenedModel['hashes'] {
  return { ...own, classifier: theirs.graph, classifier_kernels: theirs.kernels };
}

/** Bytes that no model fits in: kernels that need least are taken. */
const LEAST = 1;

/**
 * The bundles of both, within `limit` bytes together: where they do not fit, the classifier gets the kernels that need least
 * first, for it has the fewer weights. Throws UsageError where they cannot.
 */
async function compileBoth(
  model: Part,
  classifier: Part,
  limit: number | undefined,
): Promise<{ readonly model: Bundle; readonly classifier: Bundle }> {
  const within = async (memory: number | undefined) => {
    const beside = await bundleOf(classifier.source, { ...classifier.settings, memory });
    const left = limit === undefined ? undefined : Math.max(LEAST, limit - memoryOf(beside.manifest));
    const own = await bundleOf(model.source, { ...model.settings, memory: left });
    const fits = limit === undefined || memoryOf(own.manifest) + memoryOf(beside.manifest) <= limit;
    return { fits, bundles: { model: own, classifier: beside } };
  };
  const usual = await within(undefined);
  const { bundles } = usual.fits ? usual : await within(LEAST);
  const [own, theirs] = [bundles.model.manifest, bundles.classifier.manifest];
  const sum = (key: keyof typeof own.memory) => own.memory[key] + theirs.memory[key];
  const memory = {
    activations: sum('activations'),
    activations_unshared: sum('activations_unshared'),
    weights: sum('weights'),
  };
  checkMemory({ ...own, name: `${own.name} with ${theirs.name}`, memory }, limit, model.source.kind);
  return bundles;
}
