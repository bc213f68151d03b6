// Calls and memory plan to bundle: every call becomes a dispatch, equal kernels become one file.

import {
  BUNDLE_VERSION,
  type Bundle,
  digestedText,
  type Manifest,
  type OutputPort,
} from '../../runtime/bundle.ts';
import { GraphError, type GraphPlace } from '../diagnostics.ts';
import { toExplicit } from '../graph/explicit.ts';
import type { Graph } from '../graph/graph.ts';
import { parameters } from '../graph/parameters.ts';
import { type MemoryPlan, memoryTotals, placeIn, type Slot, slotIn } from '../memory/plan.ts';
import { outputEncoding, portsOf } from '../opgraph/ports.ts';
import type { Precision } from '../precision.ts';
import { costOf } from '../schedule/cost.ts';
import { printGroup } from '../schedule/print.ts';
import {
  bytesOf,
  type Resource,
  resourceName,
  storedAs,
  TEXTURE_WIDTH,
  valueIn,
  writtenAs,
} from '../schedule/resources.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { timePathOf } from '../schedule/time-path.ts';
import { isGradient } from '../schedule/update.ts';
import { isHalf, resolveView } from '../schedule/values.ts';
import { DEFAULT_LIMITS, type Target } from '../target.ts';
import { type Arenas, placeBlobs } from './arenas.ts';
import { checkCounts, checkResources } from './check-bindings.ts';
import { collectKernels, sha256 } from './collect-kernels.ts';
import { copiesOf } from './copies.ts';
import { type Emitted, type EmittedGroup, STAGED_WEIGHTS } from './emit.ts';
import type { KernelCall, WeightBlob } from './kernel-call.ts';
import { checkReach } from './reach.ts';
import type { SideCall, UpdateCall } from './update/calls.ts';
import { updateInputs, updateOutputs, updateState } from './update/ports.ts';
import type { KernelFile } from './wgsl/source.ts';

export interface BundleOptions {
  readonly target: Target;
  readonly batch: number;
  readonly precision: Precision;
  readonly taps: boolean;
  readonly strict: boolean;
  readonly compiler: Manifest['compiler'];
  /** What the pass computes that is first and, so far, alone. */
  readonly pass: 'forward' | 'gradients' | 'step';
  readonly place: GraphPlace;
}

/**
 * Generates the bundle of a scheduled graph. The same inputs give the same bytes. Throws GraphError where the graph asks
 * for more than the target reaches.
 */
export function generateBundle(
  graph: Graph,
  schedule: Schedule,
  { groups, updates, weights }: Emitted,
  plan: MemoryPlan,
  options: BundleOptions,
): Bundle {
  const { update } = schedule;
  const aside = [...groups.flatMap(({ before, behind }) => [...before, ...behind]), ...updates];
  checkPlaced(schedule, groups, aside, options);
  const kernels = collectKernels([...groups.flatMap(({ calls }) => calls), ...aside.map(({ call }) => call)]);
  const arenas = placeBlobs(weights.standing, options.target);
  const totals = memoryTotals(plan);
  // what is remembered of the time path would change with the parameters
  const timePath = update === null ? timePathOf(schedule) : { groups: 0, values: [] };
  const boundSlot = (resource: Resource, access: 'read' | 'read_write') =>
    slotIn(plan, access === 'read' ? resource : writtenAs(resource));
  const bind = ({ resource, access }: KernelCall['bindings'][number], call: KernelCall) => {
    if (resource.kind === 'weights' || resource.kind === 'product' || resource.kind === 'packed') {
      const blob = resource.kind === 'packed' ? resource.blob : call[resource.kind]!;
      const passing = weights.passing.get(blob);
      if (passing !== undefined)
        return { kind: 'slot' as const, slot: boundSlot(passing.resource, access), access };
      if (resource.kind === 'packed' && blob.texture)
        return { kind: 'slot' as const, slot: slotIn(plan, STAGED_WEIGHTS), access };
      return { kind: 'weights' as const, weights: weights.indexOf.get(blob)!, access };
    }
    const part = placeIn(plan, resource);
    const dtype = storedAs(schedule.graph, resource);
    return {
      kind: 'slot' as const,
      slot: boundSlot(resource, access),
      access,
      ...(dtype === null ? {} : { dtype }),
      ...(part === undefined ? {} : { part: { offset: part.offset, bytes: part.bytes } }),
    };
  };
  const bound = (call: KernelCall) => ({
    kernel: kernels.indexOf(call),
    sizes: [...call.sizes],
    bindings: call.bindings.map((binding) => bind(binding, call)),
    workgroups: [...call.workgroups] as [number, number, number],
  });
  const besides = ({ group, path, call, fills, flops, bytes }: SideCall) => {
    checkCounts(call, options.target);
    return {
      group,
      path,
      ...bound(call),
      ...(fills === null ? {} : { copies: [fill(fills)] }),
      flops,
      bytes,
    };
  };
  const slot = (value: number) => slotIn(plan, valueIn(value));
  const vectors = new Map(plan.lifetimes.map(({ name, bytes }) => [name, bytes / 16]));
  const copy = (resource: Resource) => ({
    from: slotIn(plan, writtenAs(resource)),
    to: { kind: 'slot' as const, slot: slotIn(plan, resource) },
    first: 0,
    count: vectors.get(resourceName(resource))!,
  });
  const fill = (blob: WeightBlob) => {
    const passing = weights.passing.get(blob);
    if (passing !== undefined) return copy(passing.resource);
    const to = { kind: 'weights' as const, weights: weights.indexOf.get(blob)! };
    return { from: slotIn(plan, STAGED_WEIGHTS), to, first: 0, count: blob.length / 4 };
  };
  const dispatches = schedule.groups.flatMap((group, i) => {
    const cost = costOf(schedule.graph, group);
    const line = printGroup(schedule.graph, group, i, cost);
    const { calls: parts, before, behind } = groups[i]!;
    const working = workingCalls(parts);
    const share = (call: KernelCall, work: number) =>
      working.includes(call) ? Math.round(work / working.length) : 0;
    checkResources(schedule.graph, group, parts);
    const copies = copiesOf(parts);
    const own = parts.map((call, k) => {
      checkCounts(call, options.target);
      return {
        group: line,
        path: schedule.graph.nodes[group.result]!.path,
        ...bound(call),
        ...(copies[k]!.length === 0 ? {} : { copies: copies[k]!.map(copy) }),
        flops: share(call, cost.flops),
        bytes: share(call, cost.bytes),
      };
    });
    return [...before.map(besides), ...own, ...behind.map(besides)];
  });
  const last = updates.map(besides);
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
    inputs: [
      ...portsOf(schedule.graph).map(({ spec, value }) => ({ ...spec, slot: slot(value) })),
      ...(update === null ? [] : updateInputs(update, plan)),
    ],
    outputs: [...outputsOf(schedule, slot), ...(update === null ? [] : updateOutputs(update, plan))],
    state: update === null ? [] : updateState(update, plan),
    time_path: {
      dispatches: groups.slice(0, timePath.groups).flatMap(({ calls }) => calls).length,
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
      if (update !== null) return { arena, offset, length, filled: 'dispatch', parts: [] };
      return { arena, offset, length, filled: 'host', parts };
    }),
    kernels: kernels.files,
    dispatches: [...dispatches, ...last],
    passes: [{ name: options.pass, dispatches: dispatches.length }, ...passesOf(updates)],
    memory: {
      activations: totals.shared,
      activations_unshared: totals.unshared,
      weights: arenas.blobs.reduce((sum, blob) => sum + blob.length * 4, 0),
    },
  };
  return { manifest: { ...manifest, sha256: sha256(digestedText(manifest)) }, kernels: kernels.texts };
}

/** What the graph gives; gradients that an update takes are no outputs. */
function outputsOf({ graph, update }: Schedule, slot: (value: number) => number): readonly OutputPort[] {
  const outputs = graph.outputs.filter(({ name }) => update === null || !isGradient(name));
  return outputs.map(({ name, value }) => {
    const { value: stored } = resolveView(graph, value);
    const dtype = isHalf(graph, stored) ? 'f16' : 'f32';
    const { shape } = graph.nodes[value]!.type;
    return { name, encoding: outputEncoding(graph, value), dtype, shape: [...shape], slot: slot(stored) };
  });
}

/** Passes of their own for what a step does behind the gradients. */
function passesOf(updates: readonly UpdateCall[]): Manifest['passes'] {
  const names = [...new Set(updates.map(({ pass }) => pass))];
  return names.map((name) => ({ name, dispatches: updates.filter(({ pass }) => pass === name).length }));
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
  emitted: readonly EmittedGroup[],
  aside: readonly SideCall[],
  { target, place }: BundleOptions,
): void {
  const calls = groups.flatMap(({ result }, i) =>
    emitted[i]!.calls.map((call) => ({ path: graph.nodes[result]!.path, call })),
  );
  const faults = checkReach([...calls, ...aside], target);
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
  'sum_slices',
  'winograd_cotangent_subgroup',
  'winograd_input',
  'winograd_input_subgroup',
]);

/** The calls of a group of which its work is said: of several, those that have the product, of weights or of activations. */
function workingCalls(calls: readonly KernelCall[]): readonly KernelCall[] {
  if (calls.length === 1) return calls;
  const ofWeights = calls.filter(({ product }) => product !== null);
  return ofWeights.length > 0 ? ofWeights : calls.filter(({ file }) => !HELPERS.has(file));
}
