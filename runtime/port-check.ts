// What a schema cannot see of a manifest's ports: slots that hold them, names that are theirs alone, states that nothing
// else overwrites.

import type { Manifest } from './bundle.ts';
import { bytesOfPort, type Port } from './ports.ts';
import { elements } from './tensor.ts';

/** Where a fault goes: its JSON pointer, and what is wrong there. */
export type Fault = (pointer: string, message: string) => void;

/** Bytes of which offsets of bindings are multiples: WebGPU's default minStorageBufferOffsetAlignment. */
export const OFFSET_ALIGNMENT = 256;

/** Every fault of inputs, outputs, state and of what the time path hands on. */
export function checkPorts(manifest: Manifest, fault: Fault): void {
  const { batch, inputs, outputs, state, time_path } = manifest;
  const lists = { inputs, outputs, state };
  for (const [list, ports] of Object.entries(lists)) {
    const names = new Set<string>();
    ports.forEach((port: Port, i) => {
      const pointer = `/${list}/${i}`;
      const end = ('offset' in port ? port.offset : 0) + bytesOfPort(port);
      checkHeld(manifest, port.slot, end, pointer, fault);
      if (names.has(port.name)) fault(`${pointer}/name`, `a second port called ${port.name}`);
      names.add(port.name);
      const [samples] = port.shape;
      const ofSamples = port.encoding !== 'plain' && port.encoding !== 'parameter';
      if (list !== 'state' && ofSamples && samples !== batch)
        fault('/batch', `${port.name} is for ${samples} samples, expected ${batch}`);
    });
  }
  if (outputs.length === 0) fault('/outputs', 'no pass gives anything');
  time_path.values.forEach(({ slot, bytes }, i) => {
    const pointer = `/time_path/values/${i}`;
    checkHeld(manifest, slot, bytes, pointer, fault);
    if (bytes % (4 * batch) !== 0) fault(pointer, `${bytes} bytes are no rows for ${batch} samples`);
  });
  checkOwners(manifest, fault);
  checkInitial(manifest, fault);
}

/** A slot that the host copies to or from is a buffer, and large enough. */
function checkHeld(manifest: Manifest, slot: number, bytes: number, pointer: string, fault: Fault): void {
  const found = manifest.slots[slot];
  if (found === undefined) {
    fault(pointer, `slot ${slot} does not exist, there are ${manifest.slots.length}`);
    return;
  }
  if (bytes > found.bytes) fault(pointer, `needs ${bytes} bytes, slot ${slot} has ${found.bytes}`);
  if (found.storage === 'texture') fault(pointer, `slot ${slot} is a texture, the interface is in buffers`);
}

/** Inputs are all written before a pass, and a state is kept behind it: none of them shares its bytes. */
function checkOwners({ inputs, outputs, state, time_path }: Manifest, fault: Fault): void {
  const owners = new Map<number, string>();
  const own = (slot: number, owner: string, pointer: string) => {
    const other = owners.get(slot);
    if (other !== undefined) fault(pointer, `slot ${slot} is that of ${other}, too`);
    owners.set(slot, owner);
  };
  inputs.forEach(({ name, slot }, i) => {
    own(slot, `input ${name}`, `/inputs/${i}`);
  });
  // several states share a slot; the first one of each owns it
  const firsts = new Map(state.toReversed().map(({ slot }, i) => [slot, state.length - 1 - i]));
  for (const [slot, i] of firsts) own(slot, `state ${state[i]!.name}`, `/state/${i}`);
  checkStatesApart(state, fault);
  const kept = new Map(state.map(({ name, slot }) => [slot, name]));
  const taken = [
    ...outputs.map(({ slot }, i) => ({ slot, pointer: `/outputs/${i}` })),
    ...time_path.values.map(({ slot }, i) => ({ slot, pointer: `/time_path/values/${i}` })),
  ];
  for (const { slot, pointer } of taken) {
    if (kept.has(slot))
      fault(pointer, `slot ${slot} is that of state ${kept.get(slot)}, which keeps it for itself`);
  }
}

/** States of one slot have bytes of their own, which begin where a copy may. */
function checkStatesApart(state: Manifest['state'], fault: Fault): void {
  const ends = new Map<number, { readonly name: string; readonly end: number }>();
  for (const [i, port] of [...state.entries()].sort(([, a], [, b]) => a.offset - b.offset)) {
    const { name, slot, offset } = port;
    const before = ends.get(slot);
    if (offset % 16 !== 0) fault(`/state/${i}/offset`, `${offset} is no multiple of 16`);
    if (before !== undefined && offset < before.end)
      fault(
        `/state/${i}`,
        `begins at byte ${offset} of slot ${slot}, where state ${before.name} ends at ${before.end}`,
      );
    ends.set(slot, { name, end: offset + bytesOfPort(port) });
  }
}

/** A state begins as zeros or as a parameter with as many elements. */
function checkInitial({ state, parameters }: Manifest, fault: Fault): void {
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  state.forEach(({ initial, shape }, i) => {
    if (initial === 'zeros') return;
    const found = shapes.get(initial.parameter);
    const pointer = `/state/${i}/initial`;
    if (found === undefined) fault(pointer, `no parameter is called ${initial.parameter}`);
    else if (elements(found) !== elements(shape))
      fault(pointer, `${initial.parameter} has ${elements(found)} elements, the state ${elements(shape)}`);
  });
}
