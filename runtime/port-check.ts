// What zod cannot see of a manifest's ports: slots that hold them, names that are theirs alone, states that nothing
// else overwrites.

import type { Manifest } from './bundle.ts';
import { bytesOfPort, type Port } from './ports.ts';
import { elements } from './tensor.ts';

/** Where a fault goes: its JSON pointer, and what is wrong there. */
export type Fault = (pointer: string, message: string) => void;

/** Every fault of inputs, outputs, state and of what the time path hands on. */
export function checkPorts(manifest: Manifest, fault: Fault): void {
  const { batch, inputs, outputs, state, time_path } = manifest;
  const lists = { inputs, outputs, state };
  for (const [list, ports] of Object.entries(lists)) {
    const names = new Set<string>();
    ports.forEach((port: Port, i) => {
      const pointer = `/${list}/${i}`;
      checkHeld(manifest, port.slot, bytesOfPort(port), pointer, fault);
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

/** Inputs are all written before a pass, and a state is kept behind it: none of them shares its slot. */
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
  state.forEach(({ name, slot }, i) => {
    own(slot, `state ${name}`, `/state/${i}`);
  });
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
