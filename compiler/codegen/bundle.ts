// Schedule and memory plan to bundle: every group becomes a dispatch, equal kernels become one file.

import { BUNDLE_VERSION, type Bundle, digestedText, type Manifest } from '../../runtime/bundle.ts';
import { GraphError, type GraphPlace } from '../diagnostics.ts';
import { toExplicit } from '../graph/explicit.ts';
import type { Graph } from '../graph/graph.ts';
import { parameters } from '../graph/parameters.ts';
import { type MemoryPlan, memoryTotals, type Slot, slotIn } from '../memory/plan.ts';
import { outputEncoding, portsOf } from '../opgraph/ports.ts';
import type { Precision } from '../precision.ts';
import { costOf } from '../schedule/cost.ts';
import { printGroup } from '../schedule/print.ts';
import { bytesOf, holdsHalf, TEXTURE_WIDTH, valueIn } from '../schedule/resources.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { timePathOf } from '../schedule/time-path.ts';
import { isHalf, resolveView } from '../schedule/values.ts';
import { DEFAULT_LIMITS, type Target } from '../target.ts';
import { type Arenas, placeBlobs } from './arenas.ts';
import { checkCounts, checkResources } from './check-bindings.ts';
import { collectKernels, sha256 } from './collect-kernels.ts';
import { callsOf } from './groups/index.ts';
import type { KernelCall } from './kernel-call.ts';
import { checkReach } from './reach.ts';
import type { KernelFile } from './wgsl/source.ts';

export interface BundleOptions {
  readonly target: Target;
  readonly batch: number;
  readonly precision: Precision;
  readonly taps: boolean;
  readonly strict: boolean;
  readonly compiler: Manifest['compiler'];
  /** What the pass computes that is first and, so far, alone. */
  readonly pass: 'forward' | 'gradients';
  readonly place: GraphPlace;
}

/**
 * Generates the bundle of a scheduled graph. The same inputs give the same bytes. Throws GraphError where the graph asks
 * for more than the target reaches.
 */
export function generateBundle(
  graph: Graph,
  schedule: Schedule,
  plan: MemoryPlan,
  options: BundleOptions,
): Bundle {
  const emitted = schedule.groups.map((group) => callsOf(schedule, group, options.target));
  const calls = emitted.flat();
  checkPlaced(schedule, emitted, options);
  const kernels = collectKernels(calls);
  // a part of a batch has the weights of the other parts
  const blobs = calls.flatMap(({ weights, product }) => [weights, product]);
  const withWeights = [...new Set(blobs)].filter((blob) => blob !== null);
  const blobIndex = new Map(withWeights.map((blob, i) => [blob, i]));
  const arenas = placeBlobs(withWeights, options.target);
  const totals = memoryTotals(plan);
  const timePath = timePathOf(schedule);
  const slot = (value: number) => slotIn(plan, valueIn(value));
  const dispatches = schedule.groups.flatMap((group, i) => {
    const cost = costOf(schedule.graph, group);
    const line = printGroup(schedule.graph, group, i, cost);
    const parts = emitted[i]!;
    const working = workingCalls(parts);
    const share = (call: KernelCall, work: number) =>
      working.includes(call) ? Math.round(work / working.length) : 0;
    checkResources(schedule.graph, group, parts);
    return parts.map((call) => {
      checkCounts(call, options.target);
      return {
        group: line,
        path: schedule.graph.nodes[group.result]!.path,
        kernel: kernels.indexOf(call),
        sizes: [...call.sizes],
        bindings: call.bindings.map(({ resource, access }) =>
          resource.kind === 'weights' || resource.kind === 'product'
            ? {
                kind: 'weights' as const,
                weights: blobIndex.get(call[resource.kind]!)!,
                access: 'read' as const,
              }
            : {
                kind: 'slot' as const,
                slot: slotIn(plan, resource),
                access,
                ...(holdsHalf(schedule.graph, resource) ? { dtype: 'f16' as const } : {}),
              },
        ),
        workgroups: [...call.workgroups] as [number, number, number],
        flops: share(call, cost.flops),
        bytes: share(call, cost.bytes),
      };
    });
  });
  const manifest: Omit<Manifest, 'sha256'> = {
    format: 'unetc-bundle',
    version: BUNDLE_VERSION,
    name: graph.name,
    target: options.target.name,
    precision: options.precision,
    batch: options.batch,
    graph: { ...toExplicit(graph) },
    image_size: graph.image_size,
    taps: options.taps,
    strict: options.strict,
    compiler: options.compiler,
    requires: {
      features: [...options.target.features],
      limits: requiredLimits(arenas, plan.slots, options.target),
    },
    diffusion: samplingOf(graph),
    inputs: portsOf(schedule.graph).map(({ spec, value }) => ({ ...spec, slot: slot(value) })),
    outputs: schedule.graph.outputs.map(({ name, value }) => {
      const { value: stored } = resolveView(schedule.graph, value);
      const dtype = isHalf(schedule.graph, stored) ? 'f16' : 'f32';
      const { shape } = schedule.graph.nodes[value]!.type;
      return { name, encoding: outputEncoding(schedule.graph, value), dtype, shape, slot: slot(stored) };
    }),
    state: [],
    time_path: {
      dispatches: emitted.slice(0, timePath.groups).flat().length,
      values: timePath.values.map((value) => ({
        slot: slot(value),
        bytes: bytesOf(schedule.graph, value),
      })),
    },
    parameters: parameters(graph).map(({ name, shape }) => ({ name, shape })),
    arenas: arenas.sizes,
    slots: plan.slots,
    texture_width: TEXTURE_WIDTH,
    weights: arenas.blobs.map(({ arena, offset, length, parts }) => {
      return { arena, offset, length, filled: 'host', parts };
    }),
    kernels: kernels.files,
    dispatches,
    passes: [{ name: options.pass, dispatches: dispatches.length }],
    memory: {
      activations: totals.shared,
      activations_unshared: totals.unshared,
      weights: arenas.blobs.reduce((sum, blob) => sum + blob.length * 4, 0),
    },
  };
  return { manifest: { ...manifest, sha256: sha256(digestedText(manifest)) }, kernels: kernels.texts };
}

/** What a sampler has to know of the process: the loss is training's. */
function samplingOf({ diffusion: { loss: _, ...sampling } }: Graph): Manifest['diffusion'] {
  return sampling;
}

/** Limits above the defaults of WebGPU are asked for only where buffers need them. */
function requiredLimits(arenas: Arenas, slots: readonly Slot[], target: Target): Record<string, number> {
  const bytes = (storage: Slot['storage']) => slots.flatMap((s) => (s.storage === storage ? [s.bytes] : []));
  const buffer = Math.max(...arenas.sizes, ...bytes('buffer'));
  const texture = Math.max(
    0,
    ...bytes('texture'),
    ...arenas.blobs.map((b) => (b.texture ? b.length * 4 : 0)),
  );
  const { maxComputeWorkgroupStorageSize } = target.limits;
  const rows = Math.max(Math.ceil(texture / 16 / TEXTURE_WIDTH), TEXTURE_WIDTH);
  return {
    maxStorageBufferBindingSize: buffer,
    maxBufferSize: buffer,
    ...(texture > 0 ? { maxTextureDimension2D: rows } : {}),
    ...(maxComputeWorkgroupStorageSize > DEFAULT_LIMITS.maxComputeWorkgroupStorageSize
      ? { maxComputeWorkgroupStorageSize }
      : {}),
  };
}

/** Holds every call to what the target reaches. */
function checkPlaced(
  { graph, groups }: Schedule,
  emitted: readonly (readonly KernelCall[])[],
  { target, place }: BundleOptions,
): void {
  const calls = groups.flatMap(({ result }, i) =>
    emitted[i]!.map((call) => ({ path: graph.nodes[result]!.path, call })),
  );
  const faults = checkReach(calls, target);
  if (faults.length === 0) return;
  const placed = faults.map((fault) => {
    const position = place.locate?.(fault.pointer);
    return fault.pointer === '' || !position ? fault : { ...fault, position };
  });
  throw new GraphError(placed, place.label);
}

/** What prepares a product of activations, or makes a gradient of what it gives. */
const HELPERS: ReadonlySet<KernelFile> = new Set([
  'sum_parts',
  'winograd_cotangent_subgroup',
  'winograd_input_subgroup',
  'winograd_weight_subgroup',
]);

/** The calls of a group of which its work is said: of several, those that have the product, of weights or of activations. */
function workingCalls(calls: readonly KernelCall[]): readonly KernelCall[] {
  if (calls.length === 1) return calls;
  const ofWeights = calls.filter(({ product }) => product !== null);
  return ofWeights.length > 0 ? ofWeights : calls.filter(({ file }) => !HELPERS.has(file));
}
