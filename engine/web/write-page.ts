// Writes the page of a model: a graph or a bundle with its weights, and the classifier that guides it, as a folder that any
// web server serves. Everything is checked before anything is written, and the folder appears whole or not at all.

import type { Diagnostic } from '../../compiler/diagnostics.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { GENERIC } from '../../compiler/target.ts';
import { type Bundle, formatManifest, memoryOf } from '../../runtime/bundle.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { checkWritableFolder } from '../../runtime/host/node/files.ts';
import { checkFolder, type FileContent, writeLargeFolder } from '../../runtime/host/node/folders.ts';
import { guidedInterface } from '../../runtime/sampler/classifier.ts';
import { type Denoiser, denoiserOf } from '../../runtime/sampler/denoiser.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import { checkClassifierGuidance, checkGuidance, checkRequests } from '../../runtime/sampler/request.ts';
import { samplerOf } from '../../runtime/sampler/samplers/index.ts';
import { matchWeights } from '../../runtime/weights/match.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { classesOf } from '../../web/job.ts';
import { PAGE_MODEL, type PageModel, type PagePart } from '../../web/page-model.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import type { ConvertOptions } from '../checkpoint/weight-dtypes.ts';
import { bundleFiles, MANIFEST } from '../compile/bundle-folder.ts';
import { checkMemory } from '../compile/memory-limit.ts';
import { limitWarnings } from '../compile/usual-limits.ts';
import { sha256Of } from '../digest.ts';
import { OptionError } from '../errors.ts';
import { type Host, warnAll } from '../host.ts';
import { diffusionNotes } from '../model/guided-diffusion-notes.ts';
import { interfaceOf, type ModelSource, readModel } from '../model/model-source.ts';
import type { ClassifierOptions } from '../model/open-guided.ts';
import { batchOf, type ModelOptions } from '../model/open-model.ts';
import { bundleOf } from '../model/open-program.ts';
import { packageVersion } from '../package.ts';
import { readClassNames } from './class-names.ts';
import { ownedBy, pageFiles } from './page-folder.ts';
import { type PageWeights, pageWeights } from './page-weights.ts';

export interface PageJob {
  /** A graph file, a checkpoint that carries one, or a bundle's folder. */
  readonly model: string;
  readonly options: Omit<ModelOptions, 'target' | 'reference' | 'timeout'>;
  readonly classifier: ClassifierOptions | undefined;
  readonly classifier_scale: number;
  /** How weights are stored; shards have at most 24 MiB where nothing is said. */
  readonly stored: ConvertOptions;
  /** A file with the names of the classes; null for numbers. */
  readonly names: string | null;
  /** The class that the model was taught to mean none, for guidance without a classifier; null for no such guidance. */
  readonly null_class: number | null;
  readonly output: string;
}

/** What was written, in the words of `--json`. */
export interface PageResult {
  readonly output: string;
  readonly name: string;
  readonly batch: number;
  readonly files: number;
  /** Bytes of weights, which a first visit downloads. */
  readonly weight_bytes: number;
  readonly digest: string;
}

/** A model or its classifier, read and held against its weights. */
interface Part {
  readonly source: ModelSource;
  readonly bundle: Bundle;
  readonly weights: PageWeights;
}

/**
 * Writes a page. Rejects with GraphError, UsageError, RuntimeError of kind 'bundle', 'weights', 'input' for a model that cannot
 * be drawn from, 'output'.
 */
export async function writePage(
  job: PageJob,
  host: Pick<Host, 'warn' | 'note' | 'signal'>,
): Promise<PageResult> {
  const owned = ownedBy(job.output);
  const { classifier } = job;
  const batch = job.options.batch;
  const source = await readModel(job.model, job.options);
  const settings = {
    ...job.options,
    batch: source.kind === 'bundle' ? undefined : (batch ?? usualBatch(source)),
  };
  const beside =
    classifier === undefined
      ? null
      : await readModel(classifier.model, { size: settings.size, precision: classifier.precision });
  for (const one of [source, beside]) if (one?.kind === 'graph') warnAll(host, one.warnings, one.label);
  const denoiser = checkedDenoiser(job, source, beside, settings.batch);
  const names = namesOf(job, denoiser);
  checkWritableFolder(job.output);
  checkFolder(job.output, owned);
  const opened: WeightSource[] = [];
  const open = async (
    one: ModelSource,
    options: Pick<ModelOptions, 'weights' | 'renameMap' | 'allowUnexpected'>,
  ) => {
    const weights = await openRenamed(options.weights, options.renameMap, one.graph);
    opened.push(weights);
    const matched = matchWeights(parameters(one.graph), weights, options);
    for (const note of matched.notes) host.note(`${weights.label}: ${note}`);
    const stored = pageWeights(parameters(one.graph), matched, weights.label, job.stored);
    for (const tensor of stored.oversized) {
      host.note(
        `${weights.label}: ${tensor} is larger than a shard may be, and its file with it; some hosts may refuse it`,
      );
    }
    return stored;
  };
  try {
    const weights = await open(source, job.options);
    const others = beside === null ? null : await open(beside, classifier!);
    const model: Part = {
      source,
      weights,
      bundle: await bundleOf(source, { ...settings, target: GENERIC.name }),
    };
    const guide: Part | null =
      beside === null
        ? null
        : {
            source: beside,
            weights: others!,
            bundle: await guideBundle(beside, job, batchOf(source, settings)),
          };
    checkMemory(model.bundle.manifest, job.options.memory, source.kind);
    for (const one of [model, guide]) {
      if (one !== null) warnAll(host, portability(one.bundle), one.source.label);
    }
    if (beside !== null) for (const note of diffusionNotes(source, beside)) host.note(note);
    return await write(job, { model, guide, denoiser, names }, owned, host.signal);
  } finally {
    for (const one of opened) one.close();
  }
}

/** Images in a pass where nobody says: as many as make a small model worth a submission, and a large one no longer to wait for. */
function usualBatch({ graph }: ModelSource): number {
  const places = graph.image_size.reduce((product, size) => product * size, 1);
  return places <= 32 * 32 ? 4 : places <= 64 * 64 ? 2 : 1;
}

/** The model in a sampler's words. Throws RuntimeError('input') where it cannot be drawn from, or its classifier not guide it. */
function checkedDenoiser(
  { classifier_scale, null_class }: PageJob,
  source: ModelSource,
  beside: ModelSource | null,
  batch: number | undefined,
): Denoiser {
  const own = interfaceOf(source.graph, batchOf(source, { batch }));
  const guide =
    beside &&
    interfaceOf(beside.graph, batchOf(beside, { batch: own.batch }), {
      gradient: beside.graph.pool !== null,
    });
  const names = { model: source.label, classifier: beside?.label ?? '' };
  const denoiser = denoiserOf(guide === null ? own : guidedInterface(own, guide, names));
  const process = diffusionProcess(source.graph.diffusion);
  checkRequests(denoiser, process, samplerOf('ddpm'), []);
  const guidance = null_class === null ? undefined : { scale: 1, null_class };
  if (guidance !== undefined) checkGuidance(denoiser, guidance);
  checkClassifierGuidance(denoiser, beside === null ? undefined : classifier_scale, guidance);
  if (denoiser.low_res_size !== null && denoiser.image_size.length !== 2) {
    throw new RuntimeError(
      'input',
      `${source.label}: it enlarges ${denoiser.low_res_size.join('x')}, and a page takes pictures of two dimensions; use unetc sample`,
    );
  }
  return denoiser;
}

function namesOf({ names }: PageJob, denoiser: Denoiser): readonly string[] | null {
  if (names === null) return null;
  const classes = classesOf(denoiser);
  if (classes !== null) return readClassNames(names, classes);
  throw new OptionError('input', (option) => `${option('names')}: the model has no classes; leave it out`);
}

async function guideBundle(source: ModelSource, job: PageJob, batch: number): Promise<Bundle> {
  const { strict, precision, tuning } = job.options;
  const own =
    source.kind === 'bundle'
      ? {}
      : { batch, strict, tuning, precision: job.classifier?.precision ?? precision };
  return bundleOf(source, { ...own, gradient: true, target: GENERIC.name });
}

/** What keeps a bundle from running wherever WebGPU is. */
function portability({ manifest }: Bundle): readonly Diagnostic[] {
  const { features } = manifest.requires;
  if (features.length === 0) return limitWarnings(manifest);
  return [
    ...limitWarnings(manifest),
    {
      severity: 'warning',
      code: 'G022',
      pointer: '',
      message: `the kernels need ${features.join(', ')}, which not every browser has; compile for ${GENERIC.name} in f32 to run everywhere`,
    },
  ];
}

interface Made {
  readonly model: Part;
  readonly guide: Part | null;
  readonly denoiser: Denoiser;
  readonly names: readonly string[] | null;
}

async function write(
  job: PageJob,
  { model, guide, denoiser, names }: Made,
  owned: ReturnType<typeof ownedBy>,
  signal: AbortSignal,
): Promise<PageResult> {
  const digest = () => {
    const parts = [model, ...(guide === null ? [] : [guide])];
    return sha256Of(
      parts.map(({ bundle, weights }) => `${bundle.manifest.sha256} ${weights.written().sha256}`).join(' '),
    ).slice(0, 16);
  };
  const describe = (): PageModel => ({
    ...{ format: 'unetc-page', version: 1, unetc: packageVersion() },
    ...{ name: model.bundle.manifest.name, digest: digest(), denoiser },
    diffusion: model.bundle.manifest.diffusion,
    model: partOf('model', model),
    classifier: guide === null ? null : { ...partOf('classifier', guide), scale: job.classifier_scale },
    ...{ names, null_class: job.null_class },
  });
  // written behind the weights, whose digest is in it
  function* described(): Generator<Uint8Array> {
    yield new TextEncoder().encode(`${JSON.stringify(describe(), null, 2)}\n`);
  }
  const files = new Map<string, FileContent>([
    ...pageFiles(),
    ...filesIn('model', model),
    ...(guide === null ? [] : filesIn('classifier', guide)),
    [PAGE_MODEL, described()],
  ]);
  await writeLargeFolder(job.output, files, owned, signal);
  return {
    ...{ output: job.output, name: model.bundle.manifest.name, batch: denoiser.batch, files: files.size },
    weight_bytes: model.weights.written().bytes + (guide?.weights.written().bytes ?? 0),
    digest: digest(),
  };
}

function partOf(folder: string, { bundle, weights }: Part): PagePart {
  const { bytes, files } = weights.written();
  return {
    bundle: folder,
    memory: memoryOf(bundle.manifest),
    weights: `${folder}/${weights.first}`,
    digests: Object.fromEntries(
      [[MANIFEST, sha256Of(formatManifest(bundle.manifest))] as const, ...files].map(
        ([name, digest]) => [`${folder}/${name}`, digest] as const,
      ),
    ),
    bytes,
  };
}

function filesIn(folder: string, { bundle, weights }: Part): readonly (readonly [string, FileContent])[] {
  return [...bundleFiles(bundle), ...weights.files].map(
    ([name, content]) => [`${folder}/${name}`, content] as const,
  );
}
