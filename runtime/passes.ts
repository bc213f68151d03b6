// The passes of a bundle: runs of dispatches that a host starts by name. A model's forward pass is the first; training
// has others beside it, such as the optimizer's step, which the host may leave out.

import type { Dispatch, InputPort, Manifest, OutputPort } from './bundle.ts';
import { RuntimeError } from './errors.ts';

export interface Pass {
  readonly name: string;
  /** Its dispatches, as positions in the manifest. */
  readonly first: number;
  readonly end: number;
  /** The ports that its dispatches bind. What no dispatch binds belongs to the first pass. */
  readonly inputs: readonly InputPort[];
  readonly outputs: readonly OutputPort[];
}

type PassFields = Pick<Manifest, 'passes' | 'dispatches' | 'inputs' | 'outputs'>;

/** The passes in their order, with what each of them takes and gives. */
export function passesOf({ passes, dispatches, inputs, outputs }: PassFields): readonly Pass[] {
  const boundAnywhere = slotsOf(dispatches);
  let end = 0;
  return passes.map(({ name, dispatches: count }, i) => {
    const first = end;
    end += count;
    const bound = slotsOf(dispatches.slice(first, end));
    const mine = ({ slot }: { readonly slot: number }) =>
      bound.has(slot) || (i === 0 && !boundAnywhere.has(slot));
    return { name, first, end, inputs: inputs.filter(mine), outputs: outputs.filter(mine) };
  });
}

/** The pass of a name. Throws RuntimeError('input') that lists those there are. */
export function findPass<P extends Pass>(passes: readonly P[], name: string): P {
  const found = passes.find((pass) => pass.name === name);
  if (found !== undefined) return found;
  const names = passes.map((pass) => pass.name).join(', ');
  throw new RuntimeError('input', `the bundle has no pass called ${name}; it has ${names}`);
}

/** The inputs that dispatches bind. */
export function inputsOf(
  dispatches: readonly Dispatch[],
  inputs: readonly InputPort[],
): readonly InputPort[] {
  const bound = slotsOf(dispatches);
  return inputs.filter(({ slot }) => bound.has(slot));
}

/** The inputs that dispatches from `first` on read, before one of them all writes another value to where the input stood. */
export function inputsReadFrom(
  first: number,
  dispatches: readonly Dispatch[],
  inputs: readonly InputPort[],
): readonly InputPort[] {
  const read = new Set<number>();
  const written = new Set<number>();
  dispatches.forEach(({ bindings }, i) => {
    for (const binding of bindings) {
      if (binding.kind !== 'slot') continue;
      if (binding.access !== 'read') written.add(binding.slot);
      else if (i >= first && !written.has(binding.slot)) read.add(binding.slot);
    }
  });
  return inputs.filter(({ slot }) => read.has(slot));
}

function slotsOf(dispatches: readonly Dispatch[]): ReadonlySet<number> {
  return new Set(
    dispatches.flatMap(({ bindings }) =>
      bindings.flatMap((binding) => (binding.kind === 'slot' ? [binding.slot] : [])),
    ),
  );
}
