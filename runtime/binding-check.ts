// What the dispatches of a manifest bind: things that exist, and nothing for writing that is bound a second time.
// WebGPU refuses a buffer that one dispatch binds for reading and for writing, whichever parts of it they are.

import type { Copy, Dispatch, Manifest } from './bundle.ts';
import { passesOf } from './passes.ts';
import { type Fault, OFFSET_ALIGNMENT } from './port-check.ts';

/** Every fault of the bindings. */
export function checkBindings(manifest: Manifest, fault: Fault): void {
  manifest.dispatches.forEach((dispatch, i) => {
    checkExisting(manifest, dispatch, i, fault);
    checkApart(manifest, dispatch, `/dispatches/${i}`, fault);
    checkCopies(manifest, dispatch, `/dispatches/${i}`, fault);
  });
  checkFilled(manifest, fault);
  checkTimePath(manifest, fault);
}

function checkExisting(manifest: Manifest, { bindings }: Dispatch, i: number, fault: Fault): void {
  bindings.forEach((binding, k) => {
    const at = `/dispatches/${i}/bindings/${k}`;
    if (binding.kind === 'slot') {
      const { length } = manifest.slots;
      const slot = manifest.slots[binding.slot];
      if (slot === undefined) fault(at, `slot ${binding.slot} does not exist, there are ${length}`);
      else if (binding.part !== undefined) checkPart(binding.part, slot, `${at}/part`, fault);
      return;
    }
    const entry = manifest.weights[binding.weights];
    if (entry === undefined) fault(at, `weights ${binding.weights} do not exist`);
    else if (binding.access !== 'read' && entry.filled === 'host')
      fault(at, `weights ${binding.weights} are filled by the host, no dispatch writes them`);
  });
}

/** A part of a slot lies in a buffer, where WebGPU lets a binding begin. */
function checkPart(
  { offset, bytes }: { readonly offset: number; readonly bytes: number },
  slot: Manifest['slots'][number],
  at: string,
  fault: Fault,
): void {
  if (slot.storage === 'texture') fault(at, 'is of a texture, which is bound as a whole');
  if (offset % OFFSET_ALIGNMENT !== 0)
    fault(`${at}/offset`, `${offset} is no multiple of ${OFFSET_ALIGNMENT}`);
  if (offset + bytes > slot.bytes) fault(at, `ends at byte ${offset + bytes} of a slot of ${slot.bytes}`);
}

/** What is copied stands in a buffer that the dispatch writes, and has room in a texture. */
function checkCopies(
  manifest: Manifest,
  { bindings, copies = [] }: Dispatch,
  pointer: string,
  fault: Fault,
): void {
  copies.forEach(({ from, to, first, count }, k) => {
    const at = `${pointer}/copies/${k}`;
    const written = bindings.some((one) => one.kind === 'slot' && one.slot === from && one.access !== 'read');
    const source = manifest.slots[from];
    if (!written || source === undefined) fault(`${at}/from`, `the dispatch writes no slot ${from}`);
    else if (source.storage === 'texture') fault(`${at}/from`, `slot ${from} is a texture already`);
    else if ((first + count) * 16 > source.bytes)
      fault(at, `ends at byte ${(first + count) * 16} of slot ${from}, which has ${source.bytes}`);
    const into = textureOf(manifest, to);
    const named = to.kind === 'slot' ? `slot ${to.slot}` : `entry ${to.weights} of the weights`;
    if (into === null) fault(`${at}/to`, `${named} is no texture that dispatches fill`);
    else if ((first + count) * 16 > into)
      fault(at, `ends at byte ${(first + count) * 16} of ${named}, a texture of ${into}`);
  });
}

/** Bytes of a texture that dispatches fill; null for all else. */
function textureOf({ slots, weights }: Manifest, to: Copy['to']): number | null {
  if (to.kind === 'slot') {
    const slot = slots[to.slot];
    return slot?.storage === 'texture' ? slot.bytes : null;
  }
  const entry = weights[to.weights];
  return entry?.arena === null && entry.filled === 'dispatch' ? entry.length * 4 : null;
}

/** What is written is bound once: by slot, by arena, and for weights in a texture of their own by entry. */
function checkApart(manifest: Manifest, { bindings }: Dispatch, pointer: string, fault: Fault): void {
  const read = new Set<string>();
  const written = new Set<string>();
  for (const binding of bindings) {
    const resource = resourceOf(manifest, binding);
    if (binding.access === 'read') read.add(resource);
    else if (written.has(resource)) fault(pointer, `${resource} is bound for writing twice`);
    else written.add(resource);
  }
  for (const resource of written) {
    if (read.has(resource)) fault(pointer, `${resource} is both read and written`);
  }
}

function resourceOf(manifest: Manifest, binding: Dispatch['bindings'][number]): string {
  if (binding.kind === 'slot') return `slot ${binding.slot}`;
  const arena = manifest.weights[binding.weights]?.arena ?? null;
  return arena === null ? `the texture of weights ${binding.weights}` : `arena ${arena}`;
}

/** Weights that dispatches fill are filled before they are read: by the pass that reads them, or by another one. */
function checkFilled(manifest: Manifest, fault: Fault): void {
  const { weights, dispatches } = manifest;
  const writers = new Map<number, Set<number>>();
  const uses = passesOf(manifest).flatMap(({ first, end }, pass) =>
    dispatches
      .slice(first, end)
      .flatMap(({ bindings, copies = [] }, i) => [
        ...bindings.flatMap((binding) =>
          binding.kind === 'weights' ? [{ pass, at: first + i, ...binding }] : [],
        ),
        ...copies.flatMap(({ to }) =>
          to.kind === 'weights' ? [{ pass, at: first + i, ...to, access: 'read_write' as const }] : [],
        ),
      ]),
  );
  for (const { pass, access, weights: entry } of uses) {
    if (access !== 'read') writers.set(entry, (writers.get(entry) ?? new Set()).add(pass));
  }
  const filled = new Set<string>();
  for (const { pass, at, access, weights: entry } of uses) {
    if (access !== 'read') filled.add(`${pass} ${entry}`);
    if (access !== 'read' || weights[entry]?.filled !== 'dispatch' || filled.has(`${pass} ${entry}`))
      continue;
    const byOthers = [...(writers.get(entry) ?? [])].some((other) => other !== pass);
    if (!byOthers) fault(`/dispatches/${at}`, `weights ${entry} are read before a dispatch filled them`);
  }
}

/** What the time path came to is remembered from pass to pass, so it reads nothing that passes change. */
function checkTimePath({ time_path, dispatches, state, weights }: Manifest, fault: Fault): void {
  const kept = new Map(state.map(({ name, slot }) => [slot, name]));
  dispatches.slice(0, time_path.dispatches).forEach(({ bindings }, i) => {
    for (const binding of bindings) {
      const changing =
        binding.kind === 'slot'
          ? kept.has(binding.slot) && `state ${kept.get(binding.slot)}`
          : weights[binding.weights]?.filled === 'dispatch' && `weights ${binding.weights}`;
      if (changing)
        fault(`/dispatches/${i}`, `is of the time path and binds ${changing}, which passes change`);
    }
  });
}
